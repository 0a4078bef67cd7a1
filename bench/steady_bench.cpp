// SPDX-License-Identifier: MIT
#include "bench/steady_bench.hpp"

#include "bench/paced_bench.hpp"

#include <algorithm>

namespace fantail::bench {

namespace {

constexpr double milli = 1e-6;

const std::vector<paced_metric>& metrics() {
  using kind = target::kind;
  using result = paced_run_result;
  static const std::vector<paced_metric> rows{
      {"inside p50, ms",
       [](const result& x) { return milli * double(x.inside.p50_ns); },
       target{kind::at_most, 1}},
      {"inside p99, ms",
       [](const result& x) { return milli * double(x.inside.p99_ns); },
       target{kind::at_most, 5}},
      {"inside p99.9, ms",
       [](const result& x) { return milli * double(x.inside.p999_ns); },
       target{kind::at_most, 20}},
      {"end to end p50, ms",
       [](const result& x) {
         return milli * double(x.end_to_end.p50_ns);
       }},
      {"end to end p99, ms",
       [](const result& x) { return milli * double(x.end_to_end.p99_ns); },
       target{kind::ratio_at_most, 1.5}},
      {"lag p99, events", [](const result& x) { return double(x.lag_p99); },
       target{kind::ratio_at_most, 1.5}, 0},
      {"presence in effect p99, ms",
       [](const result& x) {
         return milli * double(x.presence.answer_latency.quantile(0.99));
       },
       {},
       1,
       false},
      {"cores, program",
       [](const result& x) {
         return x.cpu_program;
       }},
      {"cores, nats-server",
       [](const result& x) {
         return x.cpu_server;
       }},
      {"memory, MiB",
       [](const result& x) { return double(x.resident_bytes) / (1 << 20); },
       {},
       0},
  };
  return rows;
}

} // namespace

bench_report run_steady_bench(bench_context& context) {
  auto& options = context.options();
  auto scaled = [&](double x) {
    return static_cast<uint32_t>(std::max(1.0, x * options.scale));
  };
  paced_bench_spec spec;
  spec.bench = "steady";
  spec.metrics = metrics();
  spec.world.shape = membership_shape::spread;
  spec.world.users = options.quick ? 400 : scaled(100'000);
  spec.world.channels = options.quick ? 1'000 : scaled(500'000);
  spec.world.instances = options.quick ? 20 : 100;
  spec.world.channels_per_user = options.quick ? 100 : 1'000;
  spec.world.spread = static_cast<uint16_t>(options.spread);
  spec.load.rate = options.quick ? 2'000 : 50'000;
  if (options.rate > 0)
    spec.load.rate = options.rate;
  spec.load.spread = spec.world.spread;
  auto seconds = options.quick ? 2.0 : 60.0;
  if (options.duration_s > 0)
    seconds = options.duration_s;
  spec.load.length = std::chrono::duration_cast<duration>(
      std::chrono::duration<double>{seconds});
  spec.load.warm_up = options.quick ? 500ms : 3s;
  spec.load.presence_changes = options.quick ? 20 : 1'000;
  return run_paced_bench(context, spec);
}

} // namespace fantail::bench
