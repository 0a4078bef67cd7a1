// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <cstdio>
#include <string>
#include <string_view>

namespace fantail::bench {

/// What is going on, for people who wait: one line that is written over on a
/// terminal, a line now and then anywhere else. One thread.
class progress_line {
public:
  explicit progress_line(std::FILE* out);
  ~progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  /// What is being done from here on; shown at once.
  void step(std::string what);

  /// A detail of the step; shown when the last one has been seen for a while.
  void detail(std::string_view text);

  /// The line ends here; what follows begins a new one.
  void finish();

private:
  void show(std::string_view detail);

  std::FILE* out_;
  bool is_terminal_;
  bool is_open_ = false;
  std::string step_;
  time_point shown_at_{};
};

} // namespace fantail::bench
