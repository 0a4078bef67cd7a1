// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"

/// How long does a chat event take from its producer to an instance, when there
/// is little else to do?
namespace fantail::bench {

bench_report run_e2e_bench(bench_context& context);

} // namespace fantail::bench
