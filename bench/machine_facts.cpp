// SPDX-License-Identifier: MIT
#include "bench/machine_facts.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace fantail::bench {

namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
  std::ifstream in{path};
  std::string result;
  std::getline(in, result);
  return result;
}

/// The value behind `key` in a file of lines `key : value`.
std::string value_in(const fs::path& path, const std::string& key) {
  std::ifstream in{path};
  std::string line;
  while (std::getline(in, line)) {
    if (!line.starts_with(key))
      continue;
    auto at = line.find_first_not_of(" \t:", key.size());
    return at == std::string::npos ? std::string{} : line.substr(at);
  }
  return {};
}

std::string build_kind() {
#ifdef __OPTIMIZE__
  std::string result = "optimized";
#else
  std::string result = "not optimized";
#endif
#ifdef __SANITIZE_ADDRESS__
  result += ", address sanitizer";
#endif
#ifdef __SANITIZE_THREAD__
  result += ", thread sanitizer";
#endif
#ifndef NDEBUG
  result += ", assertions on";
#endif
  return result;
}

/// Reads the files of git itself: the machine of a benchmark may lack it.
std::string commit_of(fs::path directory) {
  for (; !fs::exists(directory / ".git"); directory = directory.parent_path())
    if (directory == directory.parent_path())
      return {};
  auto git = directory / ".git";
  auto head = first_line(git / "HEAD");
  constexpr std::string_view reference = "ref: ";
  if (!head.starts_with(reference))
    return head;
  auto name = head.substr(reference.size());
  if (auto commit = first_line(git / name); !commit.empty())
    return commit;
  std::ifstream packed{git / "packed-refs"};
  std::string line;
  while (std::getline(packed, line))
    if (line.ends_with(" " + name))
      return line.substr(0, line.find(' '));
  return {};
}

} // namespace

std::string own_program() {
  std::error_code error;
  auto result = fs::read_symlink("/proc/self/exe", error);
  return error ? std::string{} : result.string();
}

machine_facts read_machine_facts() {
  machine_facts result;
  result.cores = std::thread::hardware_concurrency();
  result.processor = value_in("/proc/cpuinfo", "model name");
  utsname system{};
  if (::uname(&system) == 0)
    result.kernel = std::string{system.sysname} + " " + system.release;
  result.memory_bytes = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES))
                        * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  result.build = build_kind();
  result.commit = commit_of(fs::path{own_program()}.parent_path());
  return result;
}

std::string to_string(const machine_facts& x) {
  char line[400];
  std::snprintf(
      line, sizeof line, "%u x %s, %.0f GiB, %s, %s%s%s", x.cores,
      x.processor.c_str(), static_cast<double>(x.memory_bytes) / (1ull << 30),
      x.kernel.c_str(), x.build.c_str(), x.commit.empty() ? "" : ", commit ",
      x.commit.substr(0, 12).c_str());
  return line;
}

json::value to_json(const machine_facts& x) {
  return json::object{{"cores", x.cores},   {"processor", x.processor},
                      {"kernel", x.kernel}, {"memory_bytes", x.memory_bytes},
                      {"build", x.build},   {"commit", x.commit}};
}

process_usage usage_of(std::optional<pid_t> process) {
  if (!process)
    return {};
  auto directory = fs::path{"/proc"} / std::to_string(*process);
  auto line = first_line(directory / "stat");
  // The name in parentheses may hold anything; numbers begin behind it.
  auto name_end = line.rfind(')');
  if (name_end == std::string::npos)
    return {};
  std::istringstream in{line.substr(name_end + 2)};
  std::string skipped;
  constexpr int fields_before_times = 11;
  for (int i = 0; i < fields_before_times; ++i)
    in >> skipped;
  double user = 0, system = 0;
  in >> user >> system;
  uint64_t pages = 0;
  std::istringstream memory{first_line(directory / "statm")};
  memory >> skipped >> pages;
  return {(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)),
          pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE))};
}

} // namespace fantail::bench
