// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

namespace fantail::bench {

/// One of 100 instances stops reading for a minute while chat events go on:
/// what the others notice, what it costs, and how long the one needs to catch
/// up. Format `frame`. Throws bench_error and interrupted.
bench_report run_slow_bench(bench_context& context);

} // namespace fantail::bench
