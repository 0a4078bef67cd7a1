// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

/// How fast is a backlog delivered?
///
/// Chat events are stored while nobody reads; then each side delivers the very
/// same ones, from its first delivery to its last.
namespace fantail::bench {

/// One report per storage. Throws bench_error and interrupted.
std::vector<bench_report> run_drain_bench(bench_context& context);

} // namespace fantail::bench
