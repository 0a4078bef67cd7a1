// SPDX-License-Identifier: MIT
#include "bench/drain_bench.hpp"

#include "bench/load_generator.hpp"
#include "bench/presence_load.hpp"
#include "bench/receivers.hpp"

#include <fmt/format.h>

#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto ready_timeout = 60s;
constexpr auto stall_patience = 20s;
constexpr double ratio_min = 0.85;

/// What a side has to have for an empty stream to be settled: the node tells
/// the server about once per second how far it is.
constexpr auto settle_pause = 1'500ms;

struct drain_sizes {
  uint64_t events;
  population_config world;
};

drain_sizes sizes_of(const bench_options& options) {
  drain_sizes result{options.events, {}};
  if (result.events == 0)
    result.events = options.quick ? 5'000 : 500'000;
  auto& world = result.world;
  world.shape = membership_shape::spread;
  world.channels = options.quick ? 1'000 : 100'000;
  world.instances = 20;
  world.users = 200;
  world.spread = static_cast<uint16_t>(options.spread);
  // Every channel has one member on each of its instances.
  world.channels_per_user
      = world.channels / (world.users / world.spread) + world.spread;
  return result;
}

struct drain_outcome {
  receivers::totals received;
  double events_per_second = 0;
};

json::value to_json(std::string_view side, const drain_outcome& x) {
  return json::object{
      {"side", side},
      {"events_per_second", x.events_per_second},
      {"deliveries", x.received.deliveries},
      {"messages", x.received.messages},
      {"bytes", x.received.bytes},
      {"repeats", x.received.frames.repeats},
      {"gaps", x.received.frames.gaps},
      {"lagging", x.received.frames.lagging},
  };
}

class drain_bench {
public:
  drain_bench(bench_context& context, storage_kind storage)
      : context_(context),
        sizes_(sizes_of(context.options())), placement_{sizes_.world.channels,
                                                        sizes_.world.instances,
                                                        sizes_.world.spread},
        bed_(context.bed_options(storage)),
        sink_(bed_, {placement_.instances, context.format(), false}),
        source_(bed_, {placement_.channels, 0, context.options().body_bytes}),
        floor_(context.floor(bed_, placement_)), node_(context.node(bed_)) {}

  bench_report run() {
    auto report = context_.report("drain", bed_, placement_);
    report.conditions["events"] = sizes_.events;
    context_.add_calibration(report);
    fill();
    std::vector<double> floor_rates, node_rates;
    for (unsigned pair = 0; pair < context_.options().pairs; ++pair) {
      auto heads = bed_.heads();
      context_.progress().step(
          fmt::format("drain, {}, pair {}: storing", storage_name(), pair + 1));
      source_.store(sizes_.events);
      context_.check_stop();
      auto run_floor = [&] {
        floor_rates.push_back(measure(*floor_, heads, pair, report));
      };
      if (floor_is_first(pair))
        run_floor();
      node_rates.push_back(measure(*node_, heads, pair, report));
      if (!floor_is_first(pair))
        run_floor();
      bed_.forget_events();
    }
    report.findings.push_back({"drain", "events/s, " + storage_name(),
                               median(floor_rates), median(node_rates),
                               target{target::kind::ratio_at_least, ratio_min},
                               0});
    return report;
  }

private:
  std::string storage_name() const {
    return std::string{to_string(bed_.options().storage)};
  }

  /// Brings the users online once; the node reads them again from its log
  /// whenever it starts.
  void fill() {
    context_.progress().step("drain, " + storage_name()
                             + ": bringing users online");
    node_->launch({});
    node_->wait_ready(ready_timeout);
    sink_.enroll(ready_timeout);
    presence_load users{bed_, sizes_.world};
    users.fill(
        [&](double done) {
          context_.progress().detail(fmt::format("{:.0f} %", done * 100));
        },
        context_.stop());
    node_->stop();
    context_.check_stop();
  }

  double measure(contender& side, const std::vector<uint64_t>& heads,
                 unsigned pair, bench_report& report) {
    context_.progress().step(fmt::format(
        "drain, {}, pair {}: {}", storage_name(), pair + 1, side.name()));
    sink_.begin_run();
    side.launch(heads);
    wait_delivered(side);
    drain_outcome result;
    std::this_thread::sleep_for(settle_pause);
    side.stop();
    result.received = sink_.take_totals();
    auto span_ns = result.received.last_ns - result.received.first_ns;
    result.events_per_second = static_cast<double>(sizes_.events) * 1e9
                               / static_cast<double>(span_ns);
    report.runs.push_back(to_json(side.name(), result));
    note_faults(side, result.received, report);
    return result.events_per_second;
  }

  void wait_delivered(contender& side) {
    auto wanted = sizes_.events * placement_.spread;
    auto seen = sink_.deliveries();
    auto seen_at = steady::now();
    while (seen < wanted) {
      context_.check_stop();
      std::this_thread::sleep_for(5ms);
      if (std::exchange(seen, sink_.deliveries()) != seen)
        seen_at = steady::now();
      if (steady::now() - seen_at > stall_patience) {
        auto frames = sink_.take_totals().frames;
        throw bench_error{fmt::format(
            "the {} delivered {} of {} events, with {} gaps, lagging {} times",
            side.name(), seen, wanted, frames.gaps, frames.lagging)};
      }
      context_.progress().detail(
          fmt::format("{:.0f} %", 100.0 * static_cast<double>(seen)
                                      / static_cast<double>(wanted)));
    }
  }

  void note_faults(const contender& side, const receivers::totals& received,
                   bench_report& report) const {
    auto excess = received.deliveries - sizes_.events * placement_.spread
                  + received.frames.repeats;
    if (excess > 0 || received.frames.gaps > 0 || received.frames.lagging > 0)
      report.remarks.push_back(fmt::format(
          "the {} delivered {} events too many, with {} gaps, lagging {} times",
          side.name(), excess, received.frames.gaps, received.frames.lagging));
  }

  bench_context& context_;
  drain_sizes sizes_;
  channel_placement placement_;
  test_bed bed_;
  receivers sink_;
  load_generator source_;
  std::unique_ptr<contender> floor_;
  std::unique_ptr<contender> node_;
};

} // namespace

std::vector<bench_report> run_drain_bench(bench_context& context) {
  std::vector<bench_report> result;
  for (auto storage : context.storages())
    result.push_back(drain_bench{context, storage}.run());
  return result;
}

} // namespace fantail::bench
