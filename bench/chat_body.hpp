// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fantail::bench {

/// The body of a chat event in the conventional form, of a fixed size, that
/// carries the time at which it was meant to be sent: so whoever receives it
/// in this process knows its latency.
class chat_body {
public:
  /// Smaller sizes than `bytes_min` count as that.
  static constexpr size_t bytes_min = 160;

  explicit chat_body(size_t bytes, bool is_timed = true);

  /// The body of event number `event`; valid until the next call.
  std::string_view stamp(int64_t intended_at_ns, uint64_t event);

  /// The time in a body, or nothing if it is none of ours.
  static std::optional<int64_t> intended_at_ns(std::string_view body);

private:
  std::string text_;
  size_t event_at_;
};

} // namespace fantail::bench
