// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

#include <vector>

/// The benchmarks that run in this process (bench/table_bench.hpp and
/// bench/route_bench.hpp) as reports, with their targets.
namespace fantail::bench {

/// The uniform table and the one with size classes; or the one of the stress
/// scale, and a node that holds it.
std::vector<bench_report> report_table_bench(bench_context& context);

bench_report report_route_bench(bench_context& context);

} // namespace fantail::bench
