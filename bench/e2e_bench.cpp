// SPDX-License-Identifier: MIT
#include "bench/e2e_bench.hpp"

#include "bench/paced_bench.hpp"

namespace fantail::bench {

namespace {

constexpr double milli = 1e-6;

const std::vector<paced_metric>& metrics() {
  using kind = target::kind;
  using result = paced_run_result;
  static const std::vector<paced_metric> rows{
      {"end to end p50, ms",
       [](const result& x) { return milli * double(x.end_to_end.p50_ns); },
       target{kind::at_most, 5}},
      {"end to end p99, ms",
       [](const result& x) { return milli * double(x.end_to_end.p99_ns); },
       target{kind::at_most, 20}},
      {"end to end p99.9, ms",
       [](const result& x) { return milli * double(x.end_to_end.p999_ns); },
       target{kind::at_most, 100}},
      {"inside p99, ms",
       [](const result& x) {
         return milli * double(x.inside.p99_ns);
       }},
  };
  return rows;
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
  spec.load.rate = options.rate > 0 ? options.rate : 1'000;
  spec.load.spread = 1;
  auto seconds = options.quick ? 2.0 : 20.0;
  if (options.duration_s > 0)
    seconds = options.duration_s;
  spec.load.length = std::chrono::duration_cast<duration>(
      std::chrono::duration<double>{seconds});
  spec.load.warm_up = options.quick ? 500ms : 2s;
  return run_paced_bench(context, spec);
}

} // namespace fantail::bench
