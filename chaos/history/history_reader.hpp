// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/history/record.hpp"

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace fantail::chaos {

/// Reads a history from a file. A last line that is cut or damaged ends it and
/// is told by `cut`: so ends the history of a run that was killed. A damaged
/// line before the last, or time that runs backwards, is an error: `problem`
/// names it. Not thread safe.
class history_reader {
public:
  /// Opens the file and reads the head. Returns what is wrong.
  static std::variant<std::unique_ptr<history_reader>, std::string>
  open(const std::string& path);

  const history_head& head() const noexcept { return head_; }

  /// The next record; nothing at the end and after an error.
  std::optional<timed_record> next();

  /// What is wrong with the last line, or empty.
  const std::string& cut() const noexcept { return cut_; }

  /// `file:line: reason`, or empty.
  const std::string& problem() const noexcept { return problem_; }

private:
  explicit history_reader(const std::string& path);

  std::string path_;
  std::ifstream file_;
  history_head head_;
  uint64_t line_number_ = 0;
  time_point last_;
  bool is_over_ = false;
  std::string line_;
  std::string cut_;
  std::string problem_;
};

} // namespace fantail::chaos
