// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

/// How many deliveries per second, when most instances want most events?
///
/// Users draw their channels at random, so that at target scale a channel has
/// members on 86.6 of 100 instances. Events are stored as fast as the server
/// takes them, and delivered by each side from the first to the last.
namespace fantail::bench {

/// Throws bench_error and interrupted.
bench_report run_wide_bench(bench_context& context);

} // namespace fantail::bench
