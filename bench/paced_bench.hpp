// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"
#include "bench/paced_run.hpp"
#include "bench/population.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fantail::bench {

/// A figure of a run that becomes a row of the table.
struct paced_metric {
  std::string what;
  std::function<double(const paced_run_result&)> of;
  std::optional<target> goal = {};
  int decimals = 2;
  /// Whether a floor has it, too.
  bool has_floor = true;
};

/// A quantile of one of a run's latencies, in milliseconds.
std::function<double(const paced_run_result&)>
in_ms(latency_summary paced_run_result::*which,
      uint64_t latency_summary::*quantile);

/// A benchmark with a load in an open loop.
struct paced_bench_spec {
  std::string bench;
  /// In the shape `spread`.
  population_config world;
  paced_run_options load;
  std::vector<paced_metric> metrics;
};

/// The load of such a benchmark: the rate and the length that the user asked
/// for, else these.
paced_run_options paced_load(const bench_options& options, double rate,
                             double seconds);

/// Puts both sides under the same load, in interleaved pairs. Each has a
/// nats-server of its own, so that the router keeps its table from pair to
/// pair; the one whose turn it is not does nothing meanwhile. Throws
/// bench_error and interrupted.
bench_report run_paced_bench(bench_context& context,
                             const paced_bench_spec& spec);

} // namespace fantail::bench
