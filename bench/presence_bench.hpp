// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

/// How many changes of presence does a node take, and how long does one take
/// until it is in effect everywhere?
namespace fantail::bench {

bench_report run_presence_bench(bench_context& context);

} // namespace fantail::bench
