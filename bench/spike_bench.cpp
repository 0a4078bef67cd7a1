// SPDX-License-Identifier: MIT
#include "bench/spike_bench.hpp"

#include "bench/machine_facts.hpp"
#include "bench/side.hpp"

#include <fmt/format.h>

#include <future>
#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto sample_interval = 20ms;
constexpr auto drain_patience = 120s;
constexpr auto settle_pause = 1'500ms;

// The shape of A10, as multiples of the base rate, and in its minutes.
constexpr double spike_factor = 15;
constexpr double after_factor = 5;
constexpr double hot_share = 0.8;
constexpr int before_minutes = 5, spike_minutes = 1, after_minutes = 4;
constexpr double p99_factor_max = 2;

/// The lag that counts as none (requirement A1).
constexpr uint64_t lag_cleared = 1'000;

struct spike_sizes {
  population_config world;
  double rate;
  /// What a minute of A10 lasts.
  duration minute;
};

spike_sizes sizes_of(const bench_options& options) {
  auto scaled = [&](double x) {
    return static_cast<uint32_t>(std::max(1.0, x * options.scale));
  };
  spike_sizes result;
  auto& world = result.world;
  world.shape = membership_shape::spread;
  world.users = options.quick ? 400 : scaled(100'000);
  world.channels = options.quick ? 1'000 : scaled(100'000);
  world.channels_per_user = 100;
  world.instances = options.quick ? 20 : 100;
  world.spread = static_cast<uint16_t>(options.spread);
  world.hot_members = options.quick ? 200 : scaled(50'000);
  world.hot_instances = options.quick ? 16 : 80;
  // 10,000/s would come to ten million deliveries/s, which no two cores make.
  result.rate = options.quick ? 100 : 1'000;
  if (options.rate > 0)
    result.rate = options.rate;
  auto seconds = options.quick ? 0.3 : 6.0;
  if (options.duration_s > 0)
    seconds = options.duration_s;
  result.minute = std::chrono::duration_cast<duration>(
      std::chrono::duration<double>{seconds});
  return result;
}

struct spike_outcome {
  latency_summary before, during, after;
  latency_summary lateness;
  double clear_seconds = 0;
  uint64_t lag_most = 0;
  uint64_t faults = 0;
};

json::value to_json(const spike_outcome& x) {
  return json::object{{"before", to_json(x.before)},
                      {"during", to_json(x.during)},
                      {"after", to_json(x.after)},
                      {"generator_lateness", to_json(x.lateness)},
                      {"clear_seconds", x.clear_seconds},
                      {"lag_most", x.lag_most},
                      {"faults", x.faults}};
}

class spike_bench {
public:
  explicit spike_bench(bench_context& context)
      : context_(context), sizes_(sizes_of(context.options())),
        node_(context, {sizes_.world}),
        others_(node_.bed, load_of(1, sizes_.world.channels - 1, true)),
        hot_(node_.bed, load_of(0, 1, false)) {}

  bench_report run() {
    auto report
        = context_.report("spike", node_.bed, placement_of(sizes_.world));
    report.conditions["rate"] = sizes_.rate;
    report.conditions["hot_members"] = sizes_.world.hot_members;
    report.conditions["hot_instances"] = sizes_.world.hot_instances;
    report.conditions["minute_ms"] = sizes_.minute / 1ms;
    context_.add_calibration(report);
    context_.progress().step("spike: bringing users online");
    node_.fill(context_);
    std::vector<spike_outcome> outcomes;
    for (unsigned pair = 0; pair < context_.options().pairs; ++pair) {
      outcomes.push_back(measure(pair));
      report.runs.push_back(to_json(outcomes.back()));
      if (auto problem = lateness_problem(ms(outcomes.back().lateness.p99_ns),
                                          ms(outcomes.back().during.p99_ns)))
        report.invalid.push_back(fmt::format("run {}: {}", pair + 1, *problem));
    }
    node_.program->stop();
    add_findings(outcomes, report);
    return report;
  }

private:
  static double ms(uint64_t ns) { return static_cast<double>(ns) / 1e6; }

  load_options load_of(uint32_t first, uint32_t channels, bool is_timed) const {
    load_options result;
    result.channels = channels;
    result.first_channel = first;
    result.is_timed = is_timed;
    result.body_bytes = context_.options().body_bytes;
    return result;
  }

  uint64_t expected() const {
    return others_.published() * sizes_.world.spread
           + hot_.published() * sizes_.world.hot_instances;
  }

  /// Deliveries of what was published that have not come yet.
  uint64_t owed() const {
    auto delivered = node_.sink.deliveries();
    return expected() > delivered ? expected() - delivered : 0;
  }

  /// One phase of the shape; returns the latencies of the other channels.
  latency_summary load(double factor, double hot, int minutes,
                       spike_outcome& result) {
    node_.sink.begin_window();
    auto length = minutes * sizes_.minute;
    auto rate = sizes_.rate * factor;
    auto run = [&](load_generator& x, double share) {
      return std::async(std::launch::async, [&x, this, rate, share, length] {
        return share > 0 ? x.publish(rate * share, length, context_.stop())
                         : load_generator::outcome{};
      });
    };
    auto crowd = run(hot_, hot);
    auto rest = run(others_, 1 - hot);
    while (rest.wait_for(sample_interval) == std::future_status::timeout)
      result.lag_most = std::max(result.lag_most, owed());
    crowd.get();
    auto lateness = summarize(rest.get().lateness);
    context_.check_stop();
    if (lateness.p99_ns > result.lateness.p99_ns)
      result.lateness = lateness;
    return summarize(node_.sink.take_totals().latency);
  }

  spike_outcome measure(unsigned pair) {
    spike_outcome result;
    auto step = [&](const char* what) {
      context_.progress().step(
          fmt::format("spike, run {}: {}", pair + 1, what));
    };
    if (pair == 0)
      node_.sink.begin_run();
    step("before");
    result.before = load(1, 0, before_minutes, result);
    step("the spike");
    result.during = load(spike_factor, hot_share, spike_minutes, result);
    auto ended = steady::now();
    step("after");
    auto clear = std::async(std::launch::async, [&] {
      while (owed() > lag_cleared * sizes_.world.spread
             && steady::now() - ended < drain_patience)
        std::this_thread::sleep_for(1ms);
      return std::chrono::duration<double>(steady::now() - ended).count();
    });
    result.after = load(after_factor, 0, after_minutes, result);
    load(1, 0, spike_minutes, result);
    result.clear_seconds = clear.get();
    others_.wait_acknowledged(drain_patience);
    hot_.wait_acknowledged(drain_patience);
    for (auto until = steady::now() + drain_patience;
         node_.sink.deliveries() < expected() && steady::now() < until;)
      std::this_thread::sleep_for(sample_interval);
    std::this_thread::sleep_for(settle_pause);
    auto received = node_.sink.take_totals();
    result.faults = std::max(expected(), received.deliveries)
                    - std::min(expected(), received.deliveries)
                    + received.frames.repeats + received.frames.gaps;
    return result;
  }

  void add_findings(const std::vector<spike_outcome>& outcomes,
                    bench_report& report) const {
    using kind = target::kind;
    auto add = [&](const char* what, auto of, std::optional<target> goal = {},
                   int decimals = 2) {
      std::vector<double> values;
      for (auto& x : outcomes)
        values.push_back(of(x));
      report.findings.push_back({"spike", what, std::nullopt,
                                 median(std::move(values)), goal, decimals});
    };
    add("others' p99, ms, before", [](auto& x) { return ms(x.before.p99_ns); });
    add("others' p99, ms, in the spike",
        [](auto& x) { return ms(x.during.p99_ns); });
    add(
        "the second by the first",
        [](auto& x) {
          return double(x.during.p99_ns) / double(x.before.p99_ns);
        },
        target{kind::at_most, p99_factor_max});
    add("others' p99, ms, after", [](auto& x) { return ms(x.after.p99_ns); });
    add("seconds until the lag is clear",
        [](auto& x) { return x.clear_seconds; });
    add(
        "most owed, deliveries", [](auto& x) { return double(x.lag_most); }, {},
        0);
    double faults = 0;
    for (auto& x : outcomes)
      faults = std::max(faults, double(x.faults));
    report.findings.push_back({"spike", "deliveries missing or too many",
                               std::nullopt, faults, target{kind::at_most, 0},
                               0});
  }

  bench_context& context_;
  spike_sizes sizes_;
  side node_;
  load_generator others_;
  load_generator hot_;
};

} // namespace

bench_report run_spike_bench(bench_context& context) {
  return spike_bench{context}.run();
}

} // namespace fantail::bench
