// SPDX-License-Identifier: MIT
#include "chaos/checker/usage_log.hpp"

#include <algorithm>

namespace fantail::chaos {

namespace {

/// With fewer looks nothing is said about open files, and about memory: a node
/// that just began has not yet taken what it needs. There is a look a second.
constexpr size_t looks_for_files = 6;
constexpr size_t looks_for_memory = 120;

usage_range range_of(const std::vector<usage_seen>& seen,
                     uint64_t usage_seen::*figure) {
  if (seen.empty())
    return {};
  auto most = std::ranges::max_element(seen, {}, figure);
  return {seen.front().*figure, seen.back().*figure, (*most).*figure};
}

std::string in_mib(uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

} // namespace

void usage_log::take(const usage_seen& x) {
  seen_.push_back(x);
}

usage_range usage_log::resident_bytes() const {
  return range_of(seen_, &usage_seen::resident_bytes);
}

usage_range usage_log::open_files() const {
  return range_of(seen_, &usage_seen::open_files);
}

std::vector<std::string> usage_log::growth() const {
  std::vector<std::string> result;
  if (seen_.size() < looks_for_files)
    return result;
  auto files = open_files();
  if (files.last > files.first + files_slack)
    result.push_back("open files of the node: " + std::to_string(files.first)
                     + " at the start, " + std::to_string(files.last)
                     + " at the end");
  if (seen_.size() < looks_for_memory)
    return result;
  auto third = seen_.begin() + static_cast<long>(seen_.size() / 3);
  auto early = std::ranges::max_element(seen_.begin(), third, {},
                                        &usage_seen::resident_bytes)
                   ->resident_bytes;
  auto late = seen_.back().resident_bytes;
  if (late > early + early / 4 + bytes_slack)
    result.push_back("memory of the node: " + in_mib(early)
                     + " at most in the first third, " + in_mib(late)
                     + " at the end");
  return result;
}

} // namespace fantail::chaos
