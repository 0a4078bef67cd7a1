// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

/// How long does a chat event take inside of the router, and how much does the
/// router add to the floor, at the rate and the table of the target scale, with
/// users coming and going beside it?
namespace fantail::bench {

bench_report run_steady_bench(bench_context& context);

} // namespace fantail::bench
