// SPDX-License-Identifier: MIT
#include "bench/e2e_bench.hpp"

#include "bench/paced_bench.hpp"

namespace fantail::bench {

namespace {

std::vector<paced_metric> metrics() {
  using kind = target::kind;
  using run = paced_run_result;
  using latency = latency_summary;
  return {
      {"end to end p50, ms", in_ms(&run::end_to_end, &latency::p50_ns),
       target{kind::at_most, 5}},
      {"end to end p99, ms", in_ms(&run::end_to_end, &latency::p99_ns),
       target{kind::at_most, 20}},
      {"end to end p99.9, ms", in_ms(&run::end_to_end, &latency::p999_ns),
       target{kind::at_most, 100}},
      {"inside p99, ms", in_ms(&run::inside, &latency::p99_ns)},
  };
}

} // namespace

bench_report run_e2e_bench(bench_context& context) {
  auto& options = context.options();
  paced_bench_spec spec;
  spec.bench = "e2e";
  spec.metrics = metrics();
  spec.world.shape = membership_shape::spread;
  spec.world.users = 1;
  spec.world.channels = 1;
  spec.world.channels_per_user = 1;
  spec.world.instances = 1;
  spec.world.spread = 1;
  spec.load = paced_load(options, 1'000, options.quick ? 2 : 20);
  spec.load.spread = 1;
  return run_paced_bench(context, spec);
}

} // namespace fantail::bench
