// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace fantail::nats {

/// Messages that wait for room in nats.c's buffer, first in, first out. After
/// every write that the socket did not take as a whole, nats.c moves the rest
/// to the front of its buffer; with megabytes waiting there that took 40 % of a
/// node that fans out widely. Here nothing is moved. Not thread safe.
class write_backlog {
public:
  /// Views are valid until `pop`.
  struct waiting {
    std::string_view subject;
    std::string_view body;
    std::string_view reply;
    std::string_view headers;
  };

  void push(const waiting& x);

  /// REQUIRES: !empty()
  waiting front() const;
  void pop();

  bool empty() const noexcept { return chunks_.empty(); }
  /// Of all messages, with a few bytes for each.
  size_t byte_count() const noexcept { return bytes_; }

private:
  /// A message is its four sizes and its four parts, one behind the other.
  std::deque<std::string> chunks_;
  /// An empty chunk with its memory, for the next one.
  std::string spare_;
  /// Where the first message begins.
  size_t at_ = 0;
  size_t bytes_ = 0;
};

} // namespace fantail::nats
