// SPDX-License-Identifier: MIT
#include "bench/burst_bench.hpp"

#include "bench/machine_facts.hpp"
#include "bench/side.hpp"

#include <fmt/format.h>

#include <future>
#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto ready_timeout = 60s;
constexpr auto sample_interval = 20ms;
constexpr auto clear_patience = 180s;

/// More than any machine of today publishes: the generator gives what it can.
constexpr double overload = 400'000;

/// The lag that counts as none (requirement A1).
constexpr uint64_t lag_cleared = 1'000;
constexpr double seconds_more_max = 10;
constexpr auto settle_pause = 1'500ms;
constexpr double mib = 1 << 20;

struct burst_sizes {
  population_config world;
  duration probe, burst;
};

burst_sizes sizes_of(const bench_options& options) {
  burst_sizes result;
  auto& world = result.world;
  world.shape = membership_shape::spread;
  world.users = options.quick ? 400 : 20'000;
  world.channels = options.quick ? 1'000 : 100'000;
  world.channels_per_user = options.quick ? 100 : 1'000;
  world.instances = options.quick ? 20 : 100;
  world.spread = static_cast<uint16_t>(options.spread);
  result.probe = options.quick ? 500ms : 5s;
  result.burst = options.quick ? 1s : 10s;
  if (options.duration_s > 0)
    result.burst = std::chrono::duration_cast<duration>(
        std::chrono::duration<double>{options.duration_s});
  return result;
}

struct burst_outcome {
  uint64_t published = 0;
  uint64_t lag_most = 0;
  /// From the end of the burst until the lag is gone; nothing if it stays.
  std::optional<double> clear_seconds;
  double memory_most_mib = 0;
  uint64_t faults = 0;
};

json::value to_json(std::string_view side, const burst_outcome& x) {
  json::object result{{"side", side},
                      {"published", x.published},
                      {"lag_most", x.lag_most},
                      {"memory_most_mib", x.memory_most_mib},
                      {"faults", x.faults}};
  if (x.clear_seconds)
    result["clear_seconds"] = *x.clear_seconds;
  return result;
}

class burst_bench {
public:
  explicit burst_bench(bench_context& context)
      : context_(context), sizes_(sizes_of(context.options())),
        floor_(context, {sizes_.world, true, false}),
        node_(context, {sizes_.world, false, false}) {}

  bench_report run() {
    auto report
        = context_.report("burst", node_.bed, placement_of(sizes_.world));
    report.conditions["burst_seconds"]
        = std::chrono::ceil<std::chrono::seconds>(sizes_.burst).count();
    context_.add_calibration(report);
    context_.progress().step("burst: bringing users online");
    node_.fill(context_);
    auto rate = sustainable_rate();
    report.conditions["sustainable_rate"] = rate;
    std::vector<double> floor_clear, node_clear, lags, memories;
    uint64_t faults = 0;
    auto patience_s = std::chrono::duration<double>(clear_patience).count();
    for (unsigned pair = 0; pair < context_.options().pairs; ++pair) {
      auto run_floor = [&] {
        launch_floor();
        auto x = measure(floor_, rate, pair, report);
        floor_.program->stop();
        floor_clear.push_back(x.clear_seconds.value_or(patience_s));
        if (x.faults > 0)
          report.invalid_comparison.push_back(
              fmt::format("pair {}: the floor lost events", pair + 1));
      };
      if (floor_is_first(pair))
        run_floor();
      auto x = measure(node_, rate, pair, report);
      node_clear.push_back(x.clear_seconds.value_or(patience_s));
      lags.push_back(static_cast<double>(x.lag_most));
      memories.push_back(x.memory_most_mib);
      faults += x.faults;
      if (!floor_is_first(pair))
        run_floor();
    }
    node_.program->stop();
    auto floor = median(floor_clear), node = median(node_clear);
    using kind = target::kind;
    auto add = [&](const char* what, std::optional<double> of_floor,
                   double value, std::optional<target> goal, int decimals) {
      report.findings.push_back(
          {"burst", what, of_floor, value, goal, decimals});
    };
    add("seconds until the lag is clear", floor, node, std::nullopt, 1);
    add("seconds more than the floor", std::nullopt, node - floor,
        target{kind::at_most, seconds_more_max}, 1);
    add("most lag, events", std::nullopt, median(lags), std::nullopt, 0);
    add("most memory, MiB", std::nullopt, median(memories), std::nullopt, 0);
    add("deliveries missing or too many", std::nullopt,
        static_cast<double>(faults), target{kind::at_most, 0}, 0);
    return report;
  }

private:
  void launch_floor() {
    floor_.program->launch(floor_.bed.heads());
    floor_.program->wait_ready(ready_timeout);
  }

  uint64_t delivered(side& x) const {
    return x.sink.deliveries() / sizes_.world.spread;
  }

  /// What the floor delivers while the generator publishes all it can: both
  /// share the machine, as they do in the burst.
  double sustainable_rate() {
    context_.progress().step("burst: what the floor sustains");
    launch_floor();
    floor_.sink.begin_run();
    auto load = start_load(floor_, overload, sizes_.probe);
    auto begin = steady::now();
    load.wait();
    auto seconds = std::chrono::duration<double>(steady::now() - begin).count();
    auto rate = static_cast<double>(delivered(floor_)) / seconds;
    load.get();
    wait_clear(floor_, floor_.source.published(), nullptr);
    floor_.program->stop();
    floor_.bed.forget_events();
    context_.check_stop();
    if (rate <= 0)
      throw bench_error{"the floor delivered nothing"};
    return rate;
  }

  std::future<load_generator::outcome> start_load(side& x, double rate,
                                                  duration length) {
    return std::async(std::launch::async, [&x, rate, length, this] {
      return x.source.publish(rate, length, context_.stop());
    });
  }

  void sample(side& x, uint64_t published_before, burst_outcome& result) {
    auto published = x.source.published() - published_before;
    auto done = delivered(x);
    result.lag_most
        = std::max(result.lag_most, published > done ? published - done : 0);
    auto memory
        = static_cast<double>(usage_of(x.program->pid()).resident_bytes) / mib;
    result.memory_most_mib = std::max(result.memory_most_mib, memory);
  }

  /// Waits until `wanted` events were delivered everywhere.
  bool wait_clear(side& x, uint64_t wanted, burst_outcome* result) {
    for (auto until = steady::now() + clear_patience; steady::now() < until;) {
      if (delivered(x) >= wanted)
        return true;
      if (result)
        sample(x, 0, *result);
      context_.check_stop();
      std::this_thread::sleep_for(sample_interval);
    }
    return false;
  }

  burst_outcome measure(side& x, double rate, unsigned pair,
                        bench_report& report) {
    context_.check_stop();
    context_.progress().step(
        fmt::format("burst, pair {}: {}", pair + 1, x.program->name()));
    burst_outcome result;
    x.sink.begin_run();
    auto before = x.source.published();
    auto burst = start_load(x, 2 * rate, sizes_.burst);
    while (burst.wait_for(sample_interval) == std::future_status::timeout)
      sample(x, before, result);
    burst.get();
    auto ended = steady::now();
    // The fifth goes on until the lag is gone.
    std::atomic<bool> enough = false;
    auto after = std::async(std::launch::async, [&] {
      return x.source.publish(rate / 5, clear_patience, enough);
    });
    while (steady::now() - ended < clear_patience && !result.clear_seconds) {
      std::this_thread::sleep_for(sample_interval);
      sample(x, before, result);
      auto published = x.source.published() - before;
      if (published <= delivered(x) + lag_cleared)
        result.clear_seconds
            = std::chrono::duration<double>(steady::now() - ended).count();
      if (context_.stop())
        break;
    }
    enough = true;
    after.get();
    context_.check_stop();
    x.source.wait_acknowledged(ready_timeout);
    result.published = x.source.published() - before;
    wait_clear(x, result.published, nullptr);
    std::this_thread::sleep_for(settle_pause);
    auto received = x.sink.take_totals();
    auto expected = result.published * sizes_.world.spread;
    result.faults = std::max(expected, received.deliveries)
                    - std::min(expected, received.deliveries)
                    + received.frames.repeats + received.frames.gaps;
    report.runs.push_back(to_json(x.program->name(), result));
    x.bed.forget_events();
    return result;
  }

  bench_context& context_;
  burst_sizes sizes_;
  side floor_;
  side node_;
};

} // namespace

bench_report run_burst_bench(bench_context& context) {
  return burst_bench{context}.run();
}

} // namespace fantail::bench
