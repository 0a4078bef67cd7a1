// SPDX-License-Identifier: MIT
#include "bench/slow_bench.hpp"

#include "bench/load_generator.hpp"
#include "bench/machine_facts.hpp"
#include "bench/presence_load.hpp"
#include "bench/receivers.hpp"
#include "bench/slow_reader.hpp"

#include <fmt/format.h>

#include <future>
#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto ready_timeout = 60s;
constexpr auto catch_up_patience = 120s;
constexpr auto sample_interval = 50ms;
constexpr double growth_mib_max = 64;
constexpr double mib = 1 << 20;

struct slow_sizes {
  population_config world;
  double rate;
  duration warm_up, before, stopped;
};

slow_sizes sizes_of(const bench_options& options) {
  slow_sizes result;
  auto& world = result.world;
  world.shape = membership_shape::spread;
  world.users = options.quick ? 400 : 20'000;
  world.channels = options.quick ? 1'000 : 100'000;
  world.channels_per_user = options.quick ? 100 : 1'000;
  world.instances = options.quick ? 20 : 100;
  world.spread = static_cast<uint16_t>(options.spread);
  result.rate = options.quick ? 1'000 : 10'000;
  if (options.rate > 0)
    result.rate = options.rate;
  auto seconds = options.quick ? 3.0 : 60.0;
  if (options.duration_s > 0)
    seconds = options.duration_s;
  result.stopped = std::chrono::duration_cast<duration>(
      std::chrono::duration<double>{seconds});
  result.before = result.stopped;
  result.warm_up = options.quick ? 500ms : 3s;
  return result;
}

/// What one pair of minutes brought.
struct slow_outcome {
  latency_summary before, stopped, catching_up;
  latency_summary lateness;
  double catch_up_seconds = 0;
  uint64_t missed_meanwhile = 0;
  double memory_before = 0;
  double memory_most = 0;
  uint64_t faults = 0;
};

json::value to_json(const slow_outcome& x) {
  return json::object{{"before", to_json(x.before)},
                      {"stopped", to_json(x.stopped)},
                      {"catching_up", to_json(x.catching_up)},
                      {"generator_lateness", to_json(x.lateness)},
                      {"catch_up_seconds", x.catch_up_seconds},
                      {"missed_meanwhile", x.missed_meanwhile},
                      {"memory_before_mib", x.memory_before},
                      {"memory_most_mib", x.memory_most},
                      {"faults", x.faults}};
}

class slow_bench {
public:
  explicit slow_bench(bench_context& context)
      : context_(context),
        sizes_(sizes_of(context.options())), placement_{sizes_.world.channels,
                                                        sizes_.world.instances,
                                                        sizes_.world.spread},
        bed_(context.bed_options(context.storage())),
        // The last one is the slow one.
        sink_(bed_, {static_cast<uint16_t>(placement_.instances - 1),
                     delivery_format::frame, true}),
        source_(bed_, {placement_.channels, 0, context.options().body_bytes}),
        presence_(bed_, sizes_.world), node_(context.node(bed_)) {}

  bench_report run() {
    auto report = context_.report("slow", bed_, placement_);
    report.conditions["format"] = "frame";
    report.conditions["rate"] = sizes_.rate;
    report.conditions["stopped_seconds"]
        = std::chrono::ceil<std::chrono::seconds>(sizes_.stopped).count();
    context_.add_calibration(report);
    start();
    std::vector<slow_outcome> outcomes;
    for (unsigned pair = 0; pair < context_.options().pairs; ++pair) {
      outcomes.push_back(measure(pair));
      report.runs.push_back(to_json(outcomes.back()));
      if (auto problem = lateness_problem(ms(outcomes.back().lateness.p99_ns),
                                          ms(outcomes.back().before.p99_ns)))
        report.invalid.push_back(
            fmt::format("pair {}: {}", pair + 1, *problem));
    }
    slow_ = nullptr;
    node_->stop();
    add_findings(outcomes, report);
    return report;
  }

private:
  static double ms(uint64_t ns) { return static_cast<double>(ns) / 1e6; }

  void start() {
    context_.progress().step("slow: bringing users online");
    node_->launch({});
    node_->wait_ready(ready_timeout);
    sink_.enroll(ready_timeout);
    auto last = static_cast<uint16_t>(placement_.instances - 1);
    slow_ = std::make_unique<slow_reader>(bed_, last, ready_timeout);
    presence_.fill(
        [&](double done) {
          context_.progress().detail(fmt::format("{:.0f} %", done * 100));
        },
        context_.stop());
    context_.check_stop();
    sink_.begin_run();
  }

  double memory() const {
    return static_cast<double>(usage_of(node_->pid()).resident_bytes) / mib;
  }

  /// Publishes for `length`, and returns the latencies of the others.
  latency_summary load(duration length, slow_outcome& result) {
    sink_.begin_window();
    auto done = std::async(std::launch::async, [&] {
      return source_.publish(sizes_.rate, length, context_.stop());
    });
    while (done.wait_for(sample_interval) == std::future_status::timeout)
      result.memory_most = std::max(result.memory_most, memory());
    auto outcome = done.get();
    context_.check_stop();
    // A generator that is late in any window spoils the comparison.
    auto lateness = summarize(outcome.lateness);
    if (lateness.p99_ns > result.lateness.p99_ns)
      result.lateness = lateness;
    return summarize(sink_.take_totals().latency);
  }

  uint64_t missing() const {
    auto expected = source_.published() * placement_.spread;
    auto delivered = sink_.deliveries() + slow_->events();
    return expected > delivered ? expected - delivered : 0;
  }

  bool wait_complete(slow_outcome& result) {
    for (auto until = steady::now() + catch_up_patience;
         steady::now() < until;) {
      if (missing() == 0)
        return true;
      result.memory_most = std::max(result.memory_most, memory());
      context_.check_stop();
      std::this_thread::sleep_for(sample_interval);
    }
    return false;
  }

  slow_outcome measure(unsigned pair) {
    slow_outcome result;
    auto step = [&](const char* what) {
      context_.progress().step(
          fmt::format("slow, pair {}: {}", pair + 1, what));
    };
    step("everybody reads");
    load(sizes_.warm_up, result);
    result.memory_before = result.memory_most = memory();
    result.before = load(sizes_.before, result);
    step("one has stopped");
    slow_->stop_reading();
    load(sizes_.warm_up, result);
    result.stopped = load(sizes_.stopped, result);
    step("it catches up");
    result.missed_meanwhile = missing();
    auto begin = steady::now();
    slow_->resume();
    result.catching_up = load(sizes_.warm_up, result);
    auto is_complete = wait_complete(result);
    result.catch_up_seconds
        = std::chrono::duration<double>(steady::now() - begin).count();
    source_.wait_acknowledged(ready_timeout);
    auto totals = sink_.take_totals();
    result.faults = missing() + slow_->faults() + slow_->losses()
                    + totals.frames.repeats + totals.frames.gaps
                    + (is_complete ? 0 : 1);
    return result;
  }

  void add_findings(const std::vector<slow_outcome>& outcomes,
                    bench_report& report) const {
    using kind = target::kind;
    auto middle = [&](auto of) {
      std::vector<double> values;
      for (auto& x : outcomes)
        values.push_back(of(x));
      return median(std::move(values));
    };
    auto add = [&](const char* what, double value,
                   std::optional<target> goal = {}, int decimals = 2) {
      report.findings.push_back(
          {"slow", what, std::nullopt, value, goal, decimals});
    };
    add("others' p99, ms, before",
        middle([](auto& x) { return ms(x.before.p99_ns); }));
    add("others' p99, ms, one has stopped",
        middle([](auto& x) { return ms(x.stopped.p99_ns); }));
    add("the second by the first", middle([](auto& x) {
          return double(x.stopped.p99_ns) / double(x.before.p99_ns);
        }),
        target{kind::at_most, 1.1});
    add("others' p99, ms, while it catches up",
        middle([](auto& x) { return ms(x.catching_up.p99_ns); }));
    add("events it missed meanwhile",
        middle([](auto& x) { return double(x.missed_meanwhile); }), {}, 0);
    add("seconds to catch up",
        middle([](auto& x) { return x.catch_up_seconds; }));
    double growth = 0;
    uint64_t faults = 0;
    for (auto& x : outcomes) {
      growth = std::max(growth, x.memory_most - x.memory_before);
      faults = std::max(faults, x.faults);
    }
    add("growth of memory, MiB", growth, target{kind::at_most, growth_mib_max},
        0);
    add("deliveries missing or too many", double(faults),
        target{kind::at_most, 0}, 0);
  }

  bench_context& context_;
  slow_sizes sizes_;
  channel_placement placement_;
  test_bed bed_;
  receivers sink_;
  load_generator source_;
  presence_load presence_;
  std::unique_ptr<contender> node_;
  std::unique_ptr<slow_reader> slow_;
};

} // namespace

bench_report run_slow_bench(bench_context& context) {
  return slow_bench{context}.run();
}

} // namespace fantail::bench
