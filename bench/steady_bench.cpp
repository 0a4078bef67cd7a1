// SPDX-License-Identifier: MIT
#include "bench/steady_bench.hpp"

#include "bench/paced_bench.hpp"

#include <algorithm>

namespace fantail::bench {

namespace {

double presence_p99_ms(const paced_run_result& x) {
  return 1e-6 * double(x.presence.answer_latency.quantile(0.99));
}

std::vector<paced_metric> metrics() {
  using kind = target::kind;
  using run = paced_run_result;
  using latency = latency_summary;
  return {
      {"inside p50, ms", in_ms(&run::inside, &latency::p50_ns),
       target{kind::at_most, 1}},
      {"inside p99, ms", in_ms(&run::inside, &latency::p99_ns),
       target{kind::at_most, 5}},
      {"inside p99.9, ms", in_ms(&run::inside, &latency::p999_ns),
       target{kind::at_most, 20}},
      {"end to end p50, ms", in_ms(&run::end_to_end, &latency::p50_ns)},
      {"end to end p99, ms", in_ms(&run::end_to_end, &latency::p99_ns),
       target{kind::ratio_at_most, 1.5}},
      {"lag p99, events", [](auto& x) { return double(x.lag_p99); },
       target{kind::ratio_at_most, 1.5}, 0},
      {"presence in effect p99, ms", presence_p99_ms, {}, 1, false},
      {"cores, program", &run::cpu_program},
      {"cores, nats-server", &run::cpu_server},
      {"memory, MiB",
       [](auto& x) { return double(x.resident_bytes) / (1 << 20); },
       {},
       0},
  };
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
  spec.load = paced_load(options, options.quick ? 2'000 : 50'000,
                         options.quick ? 2 : 60);
  spec.load.warm_up = options.quick ? 500ms : 3s;
  spec.load.spread = spec.world.spread;
  spec.load.presence_changes = options.quick ? 20 : 1'000;
  return run_paced_bench(context, spec);
}

} // namespace fantail::bench
