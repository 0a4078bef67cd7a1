// SPDX-License-Identifier: MIT
#include "core/pull.hpp"

#include "core/limits.hpp"
#include "core/subject.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <limits>

namespace fantail {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

reject_reason problem_of(std::string_view channel, std::string_view headers,
                         std::string_view body) {
  if (!is_token(channel))
    return reject_reason::illegal_channel;
  if (headers.size() > std::numeric_limits<uint16_t>::max())
    return reject_reason::headers_too_large;
  if (headers.size() + body.size() > limits::event_bytes_max)
    return reject_reason::event_too_large;
  return reject_reason::none;
}

} // namespace

chat_event pull::operator[](size_t index) const noexcept {
  auto& x = entries_[index];
  auto* at = bytes_.data() + x.offset;
  chat_event result;
  result.pos = position{x.pos};
  result.stored_at_ns = x.stored_at_ns;
  result.cls = x.cls;
  result.channel = {at, x.channel_size};
  result.headers = {at + x.channel_size, x.header_size};
  result.body = {at + x.channel_size + x.header_size, x.body_size};
  return result;
}

pull_builder::pull_builder(shard_id shard, position from)
    : pull_(std::make_shared<pull>()) {
  pull_->shard = shard;
  pull_->from = from;
  pull_->to = from;
}

reject_reason pull_builder::add(position pos, int64_t stored_at_ns,
                                std::string_view channel,
                                std::string_view headers,
                                std::string_view body) {
  assert(pos > pull_->to);
  pull_->to = pos;
  unwrap_event(headers, body);
  auto problem = problem_of(channel, headers, body);
  if (problem != reject_reason::none) {
    ++pull_->rejected;
    return problem;
  }
  auto& bytes = pull_->bytes_;
  pull::entry x;
  x.pos = pos.value;
  x.stored_at_ns = stored_at_ns;
  x.offset = static_cast<uint32_t>(bytes.size());
  x.body_size = static_cast<uint32_t>(body.size());
  x.header_size = static_cast<uint16_t>(headers.size());
  x.channel_size = static_cast<uint8_t>(channel.size());
  x.cls = headers.empty() ? event_class::critical : class_from_headers(headers);
  bytes.insert(bytes.end(), channel.begin(), channel.end());
  bytes.insert(bytes.end(), headers.begin(), headers.end());
  bytes.insert(bytes.end(), body.begin(), body.end());
  pull_->entries_.push_back(x);
  return reject_reason::none;
}

pull_ptr pull_builder::finish(int64_t received_at_ns, uint64_t pending) {
  auto result = std::move(pull_);
  result->received_at_ns = received_at_ns;
  result->pending = pending;
  pull_ = std::make_shared<pull>();
  pull_->shard = result->shard;
  pull_->from = result->to;
  pull_->to = result->to;
  // Under load the next pull resembles this one: reserving its size saves the
  // copies of a growing buffer.
  pull_->entries_.reserve(result->entries_.size());
  pull_->bytes_.reserve(result->bytes_.size());
  return result;
}

namespace {

constexpr std::string_view wrapped_line = "\nFantail-Wrapped: ";

} // namespace

wrapped_event wrap_event(std::string_view headers, std::string_view body,
                         std::string_view own_lines) {
  wrapped_event result;
  result.headers.append("NATS/1.0\r").append(wrapped_line);
  result.headers.append(std::to_string(headers.size())).append("\r\n");
  result.headers.append(own_lines).append("\r\n");
  result.body.reserve(headers.size() + body.size());
  result.body.append(headers).append(body);
  return result;
}

void unwrap_event(std::string_view& headers, std::string_view& body) {
  // nats.c sends the lines of a block in any order, so it may be any of them.
  if (headers.find(wrapped_line) == headers.npos)
    return;
  auto digits = header_value(headers, "Fantail-Wrapped");
  size_t size = 0;
  auto [end, problem]
      = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (digits.empty() || problem != std::errc{}
      || end != digits.data() + digits.size() || size > body.size())
    return;
  headers = body.substr(0, size);
  body.remove_prefix(size);
}

std::string_view header_value(std::string_view headers, std::string_view name) {
  auto line_end = headers.find("\r\n");
  while (line_end != std::string_view::npos) {
    headers.remove_prefix(line_end + 2);
    line_end = headers.find("\r\n");
    auto line = headers.substr(0, line_end);
    auto colon = line.find(':');
    if (colon != std::string_view::npos
        && equal_without_case(trim(line.substr(0, colon)), name))
      return trim(line.substr(colon + 1));
  }
  return {};
}

event_class class_from_headers(std::string_view headers) {
  auto word = header_value(headers, "Fantail-Class");
  if (equal_without_case(word, to_string(event_class::important)))
    return event_class::important;
  if (equal_without_case(word, to_string(event_class::best_effort)))
    return event_class::best_effort;
  return event_class::critical;
}

} // namespace fantail
