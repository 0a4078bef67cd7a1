// SPDX-License-Identifier: MIT
#include "bench/chat_body.hpp"

#include <algorithm>

namespace fantail::bench {

namespace {

// Numbers are texts of a fixed width: as JSON numbers they could not begin
// with zeros.
constexpr std::string_view before_time = "{\"at\":\"";
constexpr std::string_view before_no_time = "{\"no\":\"";
static_assert(before_time.size() == before_no_time.size());
constexpr size_t time_digits = 19;
constexpr std::string_view before_event = "\",\"event_id\":\"";
constexpr size_t event_digits = 16;
constexpr std::string_view before_content
    = "\",\"type\":\"message.sent\",\"sender_id\":\"usr_00000000\","
      "\"content\":\"";
constexpr std::string_view after_content = "\"}";

void write_digits(char* at, size_t count, uint64_t value) {
  while (count > 0) {
    at[--count] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

} // namespace

chat_body::chat_body(size_t bytes, bool is_timed) {
  text_ = is_timed ? before_time : before_no_time;
  text_.append(time_digits, '0').append(before_event);
  event_at_ = text_.size();
  text_.append(event_digits, '0').append(before_content);
  auto content
      = std::max(bytes, bytes_min) - text_.size() - after_content.size();
  text_.append(content, 'x').append(after_content);
}

std::string_view chat_body::stamp(int64_t intended_at_ns, uint64_t event) {
  write_digits(text_.data() + before_time.size(), time_digits,
               static_cast<uint64_t>(intended_at_ns));
  write_digits(text_.data() + event_at_, event_digits, event);
  return text_;
}

std::optional<int64_t> chat_body::intended_at_ns(std::string_view body) {
  if (body.size() < bytes_min || !body.starts_with(before_time))
    return std::nullopt;
  int64_t result = 0;
  for (char c : body.substr(before_time.size(), time_digits)) {
    if (c < '0' || c > '9')
      return std::nullopt;
    result = result * 10 + (c - '0');
  }
  return result;
}

} // namespace fantail::bench
