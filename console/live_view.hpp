// SPDX-License-Identifier: MIT
#pragma once

#include "console/keys.hpp"
#include "console/paint.hpp"
#include "console/session.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace fantail::console {

/// What the user of a live view wants, key by key: pure.
class live_state {
public:
  enum class wish {
    /// Nothing, or only that it is drawn again.
    redraw,
    /// Ask the node again, now.
    refresh,
    /// Open the row whose number was typed; see chosen().
    open,
    /// Back to the view before, or out.
    back,
  };

  /// `lines` is the length of the page, `rows` how many of them fit.
  wish press(const key& x, size_t lines, size_t rows);

  /// The number that was typed; 0 = none.
  size_t chosen() const noexcept { return chosen_; }
  const std::string& typed() const noexcept { return typed_; }
  /// The first line that is shown.
  size_t offset() const noexcept { return offset_; }
  bool is_paused() const noexcept { return is_paused_; }

  /// A page of `lines` is shown: stays within.
  void fit(size_t lines, size_t rows);

private:
  std::string typed_;
  size_t chosen_ = 0;
  size_t offset_ = 0;
  bool is_paused_ = false;
};

/// The line below a live view.
std::string live_footer(const live_state& state, size_t lines, size_t rows,
                        size_t targets, const look& how);

/// Shows `first` again and again on the alternate screen, `interval` apart,
/// and what is opened from it by number, until the user leaves. Needs a
/// terminal. Returns what went wrong at the first look; later troubles are
/// shown, and gone when they are over.
std::variant<std::monostate, problem>
run_live_view(const session& node, const invocation& first,
              std::chrono::milliseconds interval);

} // namespace fantail::console
