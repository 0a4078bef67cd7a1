// SPDX-License-Identifier: MIT
#include "core/control/member_reader.hpp"

#include "core/limits.hpp"
#include "core/subject.hpp"

#include <algorithm>
#include <charconv>

namespace fantail {

namespace {

std::string quoted(std::string_view key) {
  return "the member \"" + std::string{key} + "\"";
}

} // namespace

member_reader::member_reader(std::string_view body) {
  if (body.size() > limits::payload_bytes_max) {
    check(false, control_reject::too_large,
          "the body is larger than a payload");
    return;
  }
  std::string why;
  if (auto root = json::parse(body, &why))
    root_ = std::move(*root);
  check(why.empty(), control_reject::malformed, why);
  check(root_.if_object(), control_reject::malformed,
        "the body is not an object");
}

bool member_reader::has(std::string_view key) const {
  return root_.find(key) != nullptr;
}

void member_reader::check(bool good, control_reject reason,
                          std::string_view detail) {
  if (good || !ok())
    return;
  reason_ = reason;
  detail_ = detail;
}

std::string member_reader::text(std::string_view key) {
  auto* member = find(key);
  if (!member)
    return {};
  if (auto* text = member->if_string())
    return *text;
  wrong_type(key, "a string");
  return {};
}

std::string member_reader::text_or(std::string_view key,
                                   std::string_view fallback) {
  return has(key) ? text(key) : std::string{fallback};
}

std::string member_reader::token(std::string_view key) {
  auto result = text(key);
  if (ok() && !is_token(result))
    wrong_type(key, "a token of 1 to 128 of A-Z a-z 0-9 _ -");
  return result;
}

std::string member_reader::reply_to() {
  auto result = text_or("reply_to", "");
  if (has("reply_to") && !is_reply_subject(result)) {
    wrong_type("reply_to", "an inbox");
    // Nobody may make a node publish to a subject of his own choice.
    result.clear();
  }
  return result;
}

uint64_t member_reader::number(std::string_view key, uint64_t most) {
  auto* member = find(key);
  return member ? whole(*member, key, most) : 0;
}

std::vector<std::pair<shard_id, position>>
member_reader::positions(std::string_view key) {
  std::vector<std::pair<shard_id, position>> result;
  if (auto* members = object(key))
    for (auto& [name, value] : *members)
      result.emplace_back(shard(name, key),
                          position{whole(value, key, INT64_MAX)});
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<member_reader::shard_start>
member_reader::shard_starts(std::string_view key) {
  std::vector<shard_start> result;
  auto* members = object(key);
  if (!members)
    return result;
  for (auto& [name, value] : *members) {
    auto* pair = value.if_array();
    if (!pair || pair->size() != 2) {
      wrong_type(key, "an object of [epoch, position]");
      break;
    }
    result.push_back({shard(name, key),
                      epoch{whole((*pair)[0], key, INT64_MAX)},
                      position{whole((*pair)[1], key, INT64_MAX)}});
  }
  std::sort(result.begin(), result.end(),
            [](auto& a, auto& b) { return a.shard < b.shard; });
  return result;
}

const json::value* member_reader::find(std::string_view key) {
  auto* result = root_.find(key);
  check(result, control_reject::missing_member, quoted(key) + " is missing");
  return result;
}

const json::object* member_reader::object(std::string_view key) {
  auto* member = find(key);
  auto* result = member ? member->if_object() : nullptr;
  if (member && !result)
    wrong_type(key, "an object");
  return result;
}

uint64_t member_reader::whole(const json::value& x, std::string_view key,
                              uint64_t most) {
  auto* number = x.if_int();
  if (number && *number >= 0 && static_cast<uint64_t>(*number) <= most)
    return static_cast<uint64_t>(*number);
  wrong_type(key, "a whole number from 0 to " + std::to_string(most));
  return 0;
}

shard_id member_reader::shard(std::string_view name, std::string_view key) {
  uint16_t result = 0;
  auto* end = name.data() + name.size();
  auto [stop, error] = std::from_chars(name.data(), end, result);
  // Only one spelling of a number is accepted, so no shard can come twice.
  bool good = error == std::errc{} && stop == end && result < limits::shards_max
              && std::to_string(result) == name;
  check(good, control_reject::unknown_shard,
        quoted(key) + " names something that is no shard");
  return shard_id{result};
}

void member_reader::wrong_type(std::string_view key, std::string_view wanted) {
  check(false, control_reject::wrong_type,
        quoted(key) + " is not " + std::string{wanted});
}

} // namespace fantail
