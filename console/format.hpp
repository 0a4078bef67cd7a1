// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Figures in words: short, with their unit, and the same everywhere.
namespace fantail::console {

/// 1,234,567
std::string show_count(int64_t x);

/// 812 B, 3.4 KiB, 1.2 GiB
std::string show_bytes(double bytes);

/// 0, 850 ns, 12 µs, 3.4 ms, 2.5 s, 3m 20s, 4h 5m, 2d 3h. Not known (negative
/// or no number): -
std::string show_seconds(double seconds);

/// 0/s, 0.4/s, 12/s, 12,345/s
std::string show_rate(double per_second);

/// 12 %, 3.4 %; `share` is between 0 and 1.
std::string show_share(double share);

/// The seconds a text such as `2`, `500ms`, `1.5s`, `2m` stands for. A bare
/// number counts seconds.
std::optional<double> parse_seconds(std::string_view text);

/// A whole number from `first` to `last`, or nothing.
std::optional<int64_t> parse_whole(std::string_view text, int64_t first,
                                   int64_t last);

} // namespace fantail::console
