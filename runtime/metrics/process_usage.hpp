// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fantail {

/// What the kernel says about this process.
struct process_usage {
  uint64_t resident_bytes = 0;
  /// User and system time together.
  double cpu_seconds = 0;
  uint64_t open_files = 0;
  /// Seconds since 1970.
  double started_at_seconds = 0;
};

/// Reads it from /proc. Nothing where there is no such thing.
std::optional<process_usage> read_process_usage();

/// The fields of /proc/self/stat that matter, in its own units.
struct process_stat {
  uint64_t user_ticks = 0;
  uint64_t system_ticks = 0;
  /// Since the machine was started.
  uint64_t started_at_ticks = 0;
  uint64_t resident_pages = 0;
};

/// Reads the line; the name of the program in it may hold anything.
std::optional<process_stat> parse_process_stat(std::string_view line);

} // namespace fantail
