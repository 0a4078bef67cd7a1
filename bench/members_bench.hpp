// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

/// What do channel lists cost the server on disk and in memory, while they are
/// updated at random? Two layouts hold the same records: a compacted stream,
/// which keeps the newest message of a subject per user, and the members
/// store, which appends, moves and purges (core/membership/store_ledger.hpp).
namespace fantail::bench {

bench_report run_members_bench(bench_context& context);

} // namespace fantail::bench
