// SPDX-License-Identifier: MIT
#include "api/query.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace fantail {

void query::refuse(std::string message) {
  if (!refusal_)
    refusal_ = error_response(400, "bad_parameter", message);
}

uint64_t query::number(std::string_view name, uint64_t fallback, uint64_t min,
                       uint64_t max) {
  auto i = request_.query.find(name);
  if (i == request_.query.end())
    return fallback;
  uint64_t result = 0;
  auto* end = i->second.data() + i->second.size();
  auto parsed = std::from_chars(i->second.data(), end, result);
  if (parsed.ec == std::errc{} && parsed.ptr == end && result >= min
      && result <= max)
    return result;
  std::string key{name};
  refuse(key + " is no whole number from " + std::to_string(min) + " to "
         + std::to_string(max) + "; ask for " + key + "="
         + std::to_string(fallback));
  return fallback;
}

bool query::flag(std::string_view name) {
  auto value = word(name, "false", {"true", "false", "1", "0"});
  return value == "true" || value == "1";
}

std::string query::word(std::string_view name, std::string_view fallback,
                        std::initializer_list<std::string_view> words) {
  auto i = request_.query.find(name);
  if (i == request_.query.end())
    return std::string{fallback};
  if (std::ranges::find(words, i->second) != words.end())
    return i->second;
  std::string all;
  for (auto x : words)
    all.append(all.empty() ? "" : ", ").append(x);
  refuse(std::string{name} + " is unknown; use one of " + all);
  return std::string{fallback};
}

std::string query::text(std::string_view name) const {
  auto i = request_.query.find(name);
  return i == request_.query.end() ? std::string{} : i->second;
}

http_response no_answer_of(std::string_view who) {
  return error_response(
      503, "no_answer",
      std::string{who}
          + " did not answer within 2 s; GET /api/v1/actors?top=queue says "
            "what the actors are doing");
}

} // namespace fantail
