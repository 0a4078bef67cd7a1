// SPDX-License-Identifier: MIT
#include "console/fields.hpp"

#include "console/format.hpp"
#include "console/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace fantail::console {

namespace {

constexpr int64_t second_ns = 1'000'000'000;

} // namespace

const json::value& member(const json::value& of, std::string_view key) {
  static const json::value nothing;
  auto* found = of.find(key);
  return found ? *found : nothing;
}

const json::array& list(const json::value& of, std::string_view key) {
  static const json::array nothing;
  auto* found = member(of, key).if_array();
  return found ? *found : nothing;
}

std::string text(const json::value& of, std::string_view key) {
  auto* found = member(of, key).if_string();
  return found ? printable(*found) : std::string{};
}

double number(const json::value& of, std::string_view key) {
  return member(of, key).as_double().value_or(-1);
}

int64_t whole(const json::value& of, std::string_view key) {
  return of.int_or(key, -1);
}

cell count_cell(const json::value& of, std::string_view key) {
  auto* x = member(of, key).if_int();
  return x ? cell{show_count(*x)} : cell{"-", tone::quiet};
}

cell bytes_cell(const json::value& of, std::string_view key) {
  auto x = number(of, key);
  return x < 0 ? cell{"-", tone::quiet} : cell{show_bytes(x)};
}

cell rate_cell(const json::value& of, std::string_view key) {
  auto x = number(of, key);
  return x < 0 ? cell{"-", tone::quiet} : cell{show_rate(x)};
}

cell duration_cell(const json::value& of, std::string_view key) {
  auto x = number(of, key);
  return x < 0 ? cell{"-", tone::quiet} : cell{show_seconds(x / 1e9)};
}

cell duration_cell(const json::value& of, std::string_view key, double warn_ns,
                   double alarm_ns) {
  auto result = duration_cell(of, key);
  auto x = number(of, key);
  if (x >= warn_ns)
    result.is = x >= alarm_ns ? tone::bad : tone::warning;
  return result;
}

cell share_cell(const json::value& of, std::string_view key) {
  auto x = number(of, key);
  return x < 0 ? cell{"-", tone::quiet} : cell{show_share(x)};
}

cell age_cell(const json::value& of, std::string_view key, const look& how) {
  auto* x = member(of, key).if_int();
  if (!x)
    return {"-", tone::quiet};
  auto age = static_cast<double>(how.now_unix_ns - *x) / 1e9;
  return cell{show_seconds(age < 0 ? 0 : age)};
}

cell fault_cell(const json::value& of, std::string_view key, tone is) {
  auto result = count_cell(of, key);
  if (whole(of, key) > 0)
    result.is = is;
  return result;
}

cell state_cell(const json::value& of, std::string_view key) {
  auto state = text(of, key);
  auto is = tone::plain;
  if (state == "ok" || state == "live" || state == "running")
    is = tone::good;
  else if (state == "stuck" || state == "failing" || state == "dead")
    is = tone::bad;
  else if (state == "suspended" || state == "away" || state == "lagging"
           || state == "absent" || state == "starting" || state == "waiting"
           || state == "stopping" || state == "killing" || state == "doomed")
    is = tone::warning;
  else if (state == "idle" || state == "ended")
    is = tone::quiet;
  return {state.empty() ? "-" : state, is};
}

std::string plain_cause(std::string cause) {
  constexpr std::string_view end = "\"))";
  constexpr std::string_view reason = "exit_reason(";
  if (cause.starts_with(reason) && cause.ends_with(')')) {
    cause = cause.substr(reason.size(), cause.size() - reason.size() - 1);
    std::replace(cause.begin(), cause.end(), '_', ' ');
    return cause;
  }
  auto begin = cause.find(", (\"");
  if (!cause.starts_with("system_error(") || begin == cause.npos
      || !cause.ends_with(end))
    return cause;
  begin += 4;
  return cause.substr(begin, cause.size() - end.size() - begin);
}

std::string show_time(int64_t unix_ns, const look& how) {
  auto seconds = static_cast<std::time_t>(unix_ns / second_ns);
  std::tm utc{};
  if (unix_ns < 0 || !::gmtime_r(&seconds, &utc))
    return "-";
  std::array<char, 64> text;
  auto age = how.now_unix_ns - unix_ns;
  auto is_recent = age >= -60 * second_ns && age < 86400 * second_ns;
  auto* format = is_recent ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S";
  auto length = std::strftime(text.data(), text.size(), format, &utc);
  std::snprintf(text.data() + length, text.size() - length, ".%03d",
                static_cast<int>(unix_ns % second_ns / 1'000'000));
  return text.data();
}

} // namespace fantail::console
