// SPDX-License-Identifier: MIT
#pragma once

#include "console/paint.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace fantail::console {

/// A column of a table.
struct column {
  std::string title;
  /// Figures stand right, words left.
  bool is_right = false;
  /// Of two columns the one with the higher number is left out first when the
  /// terminal is narrow; 0 = never.
  unsigned leaves = 0;
  /// What may be cut off keeps at least this many columns as long as there are
  /// others to leave out; 0 = nothing may.
  size_t shrinks_to = 0;
};

/// Rows and columns in as much width as there is.
class table {
public:
  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}

  /// `target` is the command that opens the row; empty if there is none.
  void add(std::vector<cell> row, std::string target = {});

  bool empty() const noexcept { return rows_.empty(); }

  /// Puts the heading and all rows on `out`. Rows get the next numbers of
  /// `out` if `how` wants them; nothing is ever wider than `how.width`.
  void draw(page& out, const look& how) const;

private:
  struct row {
    std::vector<cell> cells;
    std::string target;
  };
  /// A column that is drawn, and in which width.
  struct slot {
    size_t index;
    size_t width;
  };

  std::vector<slot> widths() const;
  static size_t total(const std::vector<slot>& slots);
  bool shrink(std::vector<slot>& slots, size_t width,
              size_t least_of_all) const;
  bool leave_out_one(std::vector<slot>& slots) const;
  void make_fit(std::vector<slot>& slots, size_t width) const;

  std::vector<column> columns_;
  std::vector<row> rows_;
};

/// `name  value` lines with all values below each other; long values are
/// broken and indented.
class facts {
public:
  void add(std::string name, cell value);
  /// Several pieces in one line, two spaces between them.
  void add(std::string name, std::vector<cell> values);
  bool empty() const noexcept { return lines_.empty(); }
  void draw(page& out, const look& how) const;

private:
  struct fact {
    std::string name;
    std::vector<cell> values;
  };
  std::vector<fact> lines_;
};

} // namespace fantail::console
