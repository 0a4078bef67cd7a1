// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

#include <vector>

/// Does anything grow under changes of presence that never end: the node's
/// memory, the server's, or the disk? And is the table exact in the end, entry
/// by entry, even if node and server are killed at random moments?
namespace fantail::bench {

bench_report run_churn_bench(bench_context& context);

/// How a quantity developed after the first third of its samples: the growth
/// of a straight line through them, and the highest above their mean, both as
/// shares of that mean. Fewer than three samples tell nothing.
struct flatness {
  double growth = 0;
  double excess = 0;
};
flatness flatness_of(const std::vector<double>& samples);

} // namespace fantail::bench
