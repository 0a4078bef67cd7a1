// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace fantail {

/// What `fantail bench` measures. A zero means: what the benchmark's target
/// asks for.
struct bench_options {
  /// One of bench_names().
  std::string bench = "all";
  /// What instances receive: `frame` or `single`.
  std::string format = "frame";
  /// Where streams live: `memory`, `file`, or `both` (drain only; the others
  /// take memory then).
  std::string storage = "both";
  /// Chat events that are stored; 0 = 500,000 (drain), 100,000 (wide).
  uint64_t events = 0;
  /// Chat events per second; 0 = 50,000 (steady), 1,000 (e2e, churn).
  double rate = 0;
  /// Seconds each side is measured; 0 = 60 (steady), 20 (e2e,
  /// presence), 1,800 (churn).
  double duration_s = 0;
  /// Bytes of a chat event's body; at least 160.
  unsigned body_bytes = 300;
  /// Instances each channel reaches (drain and steady).
  unsigned spread = 5;
  /// Pairs of floor and router, interleaved ABBA; 1 to 100.
  unsigned pairs = 5;
  /// Size of the tables (table, route, steady, wide, presence): 1 = the
  /// target's 100,000 users in 500,000 channels.
  double scale = 1;
  /// Table only: the stress scale, 500,000 users with 400 of 2,000,000 channels
  /// each on 500 instances, in this process and in a node.
  bool stress = false;
  /// Tiny sizes and one pair: shows that everything works, and nothing else.
  bool quick = false;
  /// churn: mean seconds between two kills of node and server; 0 = none.
  double kill_every_s = 0;
  /// A JSON file with every measurement; empty = none.
  std::string json_path;
  /// The executable that has the commands `node` and `bench floor`; empty =
  /// this one.
  std::string program;
  /// The nats-server; a path, or a name to look up.
  std::string server = "nats-server";
  /// Further settings of the node, each `key=value`, to try them out.
  std::vector<std::string> node_settings;
  /// Where results and progress go.
  std::FILE* out = stdout;
  std::FILE* progress = stderr;
  /// Set from outside to end early; children are stopped, and what is complete
  /// is reported.
  const std::atomic<bool>* stop = nullptr;
};

/// What `bench_options::bench` may be: every benchmark, and `all`.
std::vector<std::string> bench_names();

/// Measures Fantail, and the bare program it is compared with, and reports.
/// Returns 0 if all targets are met, 99 if one is missed, 97 if none is missed
/// but a figure is invalid, 1 if a benchmark could not be carried out, 2 if an
/// option is out of range. Blocks the calling thread, which starts the
/// children: they end with it.
int run_bench(const bench_options& options);

} // namespace fantail
