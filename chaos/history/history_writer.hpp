// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/history/record.hpp"

#include <memory>
#include <string>
#include <variant>

namespace fantail::chaos {

/// Appends a history to a file that did not exist. Lines are collected and
/// written in large pieces; what is not flushed is lost with the process, never
/// half of an earlier line. Not thread safe.
class history_writer {
public:
  /// Creates the file and writes the head. Returns what is wrong.
  static std::variant<std::unique_ptr<history_writer>, std::string>
  create(const std::string& path, const history_head& head);

  /// Flushes.
  ~history_writer();
  history_writer(const history_writer&) = delete;
  history_writer& operator=(const history_writer&) = delete;

  void write(const timed_record& x);

  /// Hands everything to the operating system.
  void flush();

  /// What went wrong first, or empty. After that nothing more is written.
  const std::string& problem() const noexcept { return problem_; }

private:
  explicit history_writer(int file);

  int file_;
  std::string buffer_;
  std::string problem_;
};

} // namespace fantail::chaos
