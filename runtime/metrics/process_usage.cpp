// SPDX-License-Identifier: MIT
#include "runtime/metrics/process_usage.hpp"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace fantail {

namespace {

std::string first_line(const char* path) {
  std::ifstream in{path};
  std::string result;
  std::getline(in, result);
  return result;
}

/// When the machine was started, in seconds since 1970.
uint64_t booted_at() {
  std::ifstream in{"/proc/stat"};
  for (std::string word; in >> word;)
    if (uint64_t seconds = 0; word == "btime" && in >> seconds)
      return seconds;
  return 0;
}

uint64_t count_open_files() {
  std::error_code failure;
  std::filesystem::directory_iterator files{"/proc/self/fd", failure};
  if (failure)
    return 0;
  auto seen = std::distance(begin(files), end(files));
  // One of them is the directory being read.
  return static_cast<uint64_t>(seen > 0 ? seen - 1 : 0);
}

/// Takes the next word off `rest` if it is a number.
std::optional<uint64_t> take_number(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  uint64_t result = 0;
  auto* last = rest.data() + rest.size();
  auto [end, problem] = std::from_chars(rest.data(), last, result);
  if (problem != std::errc{})
    return std::nullopt;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  return result;
}

} // namespace

std::optional<process_stat> parse_process_stat(std::string_view line) {
  auto name_end = line.rfind(')');
  if (name_end == line.npos)
    return std::nullopt;
  auto rest = line.substr(name_end + 1);
  // Fields are counted from 1; behind the name, which is the second, comes the
  // third. proc(5) has the list.
  process_stat result;
  for (int field = 3; field <= 24; ++field) {
    uint64_t* wanted = field == 14   ? &result.user_ticks
                       : field == 15 ? &result.system_ticks
                       : field == 22 ? &result.started_at_ticks
                       : field == 24 ? &result.resident_pages
                                     : nullptr;
    if (wanted) {
      auto number = take_number(rest);
      if (!number)
        return std::nullopt;
      *wanted = *number;
      continue;
    }
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    rest.remove_prefix(std::min(rest.find(' '), rest.size()));
  }
  return result;
}

std::optional<process_usage> read_process_usage() {
  auto stat = parse_process_stat(first_line("/proc/self/stat"));
  if (!stat)
    return std::nullopt;
  auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  auto seconds = [=](uint64_t ticks) {
    return static_cast<double>(ticks) / ticks_per_second;
  };
  process_usage result;
  result.resident_bytes
      = stat->resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  result.cpu_seconds = seconds(stat->user_ticks + stat->system_ticks);
  result.open_files = count_open_files();
  result.started_at_seconds
      = static_cast<double>(booted_at()) + seconds(stat->started_at_ticks);
  return result;
}

} // namespace fantail
