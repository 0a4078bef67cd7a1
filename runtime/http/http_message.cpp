// SPDX-License-Identifier: MIT
#include "runtime/http/http_message.hpp"

#include <charconv>
#include <optional>

namespace fantail {

namespace {

/// The text behind `%41` and, in a query, `+`; nothing if an escape is broken.
std::optional<std::string> decode(std::string_view text, bool is_query) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += is_query && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    auto digits = text.substr(i + 1, 2);
    unsigned code = 0;
    auto* end = digits.data() + digits.size();
    auto parsed = std::from_chars(digits.data(), end, code, 16);
    if (digits.size() < 2 || parsed.ec != std::errc{} || parsed.ptr != end)
      return std::nullopt;
    result += static_cast<char>(code);
    i += 2;
  }
  return result;
}

bool parse_pair(std::string_view pair, http_request& out) {
  auto equals = std::min(pair.find('='), pair.size());
  auto key = decode(pair.substr(0, equals), true);
  auto rest = pair.substr(equals);
  auto value = decode(rest.substr(rest.empty() ? 0 : 1), true);
  if (!key || !value)
    return false;
  out.query[*key] = *value;
  return true;
}

} // namespace

bool http_request::has_flag(std::string_view name) const {
  auto i = query.find(name);
  return i != query.end() && (i->second.empty() || i->second == "1");
}

bool parse_target(std::string_view target, http_request& out) {
  if (!target.starts_with('/'))
    return false;
  auto mark = std::min(target.find('?'), target.size());
  auto path = decode(target.substr(0, mark), false);
  if (!path)
    return false;
  out.path = *path;
  auto rest = target.substr(mark);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    auto end = std::min(rest.find('&'), rest.size());
    if (end > 0 && !parse_pair(rest.substr(0, end), out))
      return false;
    rest.remove_prefix(end);
  }
  return true;
}

http_response json_response(const json::value& x, unsigned status) {
  return {status, "application/json", json::serialize(x, true) + "\n"};
}

http_response error_response(unsigned status, std::string_view code,
                             std::string_view message) {
  return json_response(
      json::object{
          {"error", json::object{{"code", code}, {"message", message}}}},
      status);
}

http_response problem_response(unsigned status, std::string_view error,
                               std::string_view what_to_do) {
  return json_response(
      json::object{{"error", error}, {"what_to_do", what_to_do}}, status);
}

} // namespace fantail
