// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// Exit codes of a chaos run besides those of the program.
enum chaos_exit_code : int {
  chaos_passed = 0,
  /// The run could not be done.
  chaos_not_done = 1,
  chaos_bad_plan = 3,
  /// Nothing was found, but too little was looked at.
  chaos_invalid = 97,
  chaos_failed = 99,
};

struct chaos_options {
  /// Name of a shipped plan, or the path of one.
  std::string plan;
  /// The same seed gives the same schedule.
  uint64_t seed = 1;
  std::string duration = "1m";
  /// Keeps the history here, and the node's log beside it; empty: nowhere.
  std::string keep;
  /// Prints the report, or the schedule, as JSON.
  bool json = false;
  double rate = 20'000;
  double churn = 100;
  uint32_t users = 2'000;
  uint32_t channels = 5'000;
  uint32_t instances = 20;
  std::string server = "nats-server";
  /// `key=value` of the node, each.
  std::vector<std::string> node_settings;
  /// The executable of the node, and our version.
  std::string program;
  std::string build;
  const std::atomic<bool>* stop = nullptr;
};

namespace chaos {

struct shipped_plan {
  std::string_view name;
  std::string_view text;
};

/// Plans that come with the program; empty text ends the list.
extern const shipped_plan shipped_plans[];

} // namespace chaos

/// Runs a node of its own under load, breaks things as the plan says and
/// judges what everybody saw. Prints the report and returns an exit code.
int run_chaos(const chaos_options& options);

/// Prints the schedule of a plan, without doing anything.
int show_chaos_schedule(const chaos_options& options);

/// Judges a kept history once more.
int check_chaos(const std::string& path, bool as_json);

} // namespace fantail
