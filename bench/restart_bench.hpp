// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

namespace fantail::bench {

/// How long does it take from `kill -9` of a node and its server to an exact
/// table? A node with a server of its own is filled with a population, its
/// snapshots are waited for, and then it is killed and started again and
/// again. The digest of its tables has to be the one from before.
bench_report run_restart_bench(bench_context& context);

} // namespace fantail::bench
