// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

namespace fantail::bench {

/// The spike of requirement A10, scaled in time and rate: fifteen times the
/// traffic, four fifths of it on one channel with 50,000 members on 80
/// instances. What the other channels notice. Throws bench_error and
/// interrupted.
bench_report run_spike_bench(bench_context& context);

} // namespace fantail::bench
