// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"
#include "bench/paced_run.hpp"
#include "bench/population.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fantail::bench {

/// A figure of a run that becomes a row of the table.
struct paced_metric {
  std::string what;
  double (*of)(const paced_run_result&);
  std::optional<target> goal = {};
  int decimals = 2;
  /// Whether a floor has it, too.
  bool has_floor = true;
};

/// A benchmark with a load in an open loop.
struct paced_bench_spec {
  std::string bench;
  /// In the shape `spread`.
  population_config world;
  paced_run_options load;
  std::vector<paced_metric> metrics;
};

/// Puts both sides under the same load, in interleaved pairs. Each has a
/// nats-server of its own, so that the router keeps its table from pair to
/// pair; the one whose turn it is not does nothing meanwhile. Throws
/// bench_error and interrupted.
bench_report run_paced_bench(bench_context& context,
                             const paced_bench_spec& spec);

} // namespace fantail::bench
