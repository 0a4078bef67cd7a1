// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

namespace fantail::bench {

/// Twice the rate that the floor sustains, for 10 s, then a fifth of it: what
/// becomes of the lag that grows, on both sides. Throws bench_error and
/// interrupted.
bench_report run_burst_bench(bench_context& context);

} // namespace fantail::bench
