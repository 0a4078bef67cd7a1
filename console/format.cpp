// SPDX-License-Identifier: MIT
#include "console/format.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

namespace fantail::console {

namespace {

/// Two digits that say something: 3.42 becomes 3.4, 34.2 becomes 34.
std::string short_number(double x) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.*f", x < 9.95 ? 1 : 0, x);
  std::string result{text.data()};
  return result.ends_with(".0") ? result.substr(0, result.size() - 2) : result;
}

std::string two_units(int64_t big, const char* of_big, int64_t small,
                      const char* of_small) {
  auto result = std::to_string(big) + of_big;
  if (small > 0)
    result += " " + std::to_string(small) + of_small;
  return result;
}

} // namespace

std::string show_count(int64_t x) {
  auto digits = std::to_string(x);
  std::string result;
  for (size_t i = 0; i < digits.size(); ++i) {
    auto follow = digits.size() - i;
    if (i > 0 && follow % 3 == 0 && digits[i - 1] != '-')
      result += ',';
    result += digits[i];
  }
  return result;
}

std::string show_bytes(double bytes) {
  if (!std::isfinite(bytes) || bytes < 0)
    return "-";
  constexpr std::array units{" B", " KiB", " MiB", " GiB", " TiB"};
  size_t unit = 0;
  // 1023.6 KiB would be rounded to 1024.
  while (bytes >= 1023.5 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return short_number(bytes) + units[unit];
}

std::string show_seconds(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0)
    return "-";
  if (seconds == 0)
    return "0";
  if (seconds < 999.5e-9)
    return short_number(std::round(seconds * 1e9)) + " ns";
  if (seconds < 999.5e-6)
    return short_number(seconds * 1e6) + " µs";
  if (seconds < 0.9995)
    return short_number(seconds * 1e3) + " ms";
  if (seconds < 59.5)
    return short_number(seconds) + " s";
  auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600)
    return two_units(whole / 60, "m", whole % 60, "s");
  if (whole < 86400)
    return two_units(whole / 3600, "h", whole % 3600 / 60, "m");
  return two_units(whole / 86400, "d", whole % 86400 / 3600, "h");
}

std::string show_rate(double per_second) {
  if (!std::isfinite(per_second) || per_second < 0)
    return "-";
  if (per_second >= 9.95)
    return show_count(std::llround(per_second)) + "/s";
  if (per_second > 0 && per_second < 0.05)
    return "<0.1/s";
  return short_number(per_second) + "/s";
}

std::string show_share(double share) {
  if (!std::isfinite(share) || share < 0)
    return "-";
  return short_number(share * 100) + " %";
}

std::optional<double> parse_seconds(std::string_view text) {
  double number = 0;
  auto* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc{} || !std::isfinite(number) || number < 0)
    return std::nullopt;
  auto unit = text.substr(static_cast<size_t>(parsed.ptr - text.data()));
  constexpr std::pair<std::string_view, double> units[]
      = {{"", 1}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}};
  for (auto& [name, factor] : units)
    if (unit == name)
      return number * factor;
  return std::nullopt;
}

std::optional<int64_t> parse_whole(std::string_view text, int64_t first,
                                   int64_t last) {
  int64_t result = 0;
  auto* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, result);
  if (parsed.ec != std::errc{} || parsed.ptr != end || result < first
      || result > last)
    return std::nullopt;
  return result;
}

} // namespace fantail::console
