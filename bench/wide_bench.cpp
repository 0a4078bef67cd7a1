// SPDX-License-Identifier: MIT
#include "bench/wide_bench.hpp"

#include "bench/side.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr double deliveries_per_second_min = 1.5e6;
constexpr double ratio_min = 0.85;
constexpr auto ready_timeout = 60s;
constexpr auto stall_patience = 20s;

/// The node tells the server about once per second how far it has settled;
/// only then may the events go.
constexpr auto settle_pause = 1'500ms;

population_config world_of(const bench_options& options) {
  auto scaled = [&](double x) {
    return static_cast<uint32_t>(std::max(1.0, x * options.scale));
  };
  population_config result;
  result.shape = membership_shape::uniform;
  result.users = options.quick ? 400 : scaled(100'000);
  result.channels = options.quick ? 500 : scaled(500'000);
  result.instances = options.quick ? 20 : 100;
  result.channels_per_user = options.quick ? 100 : 1'000;
  return result;
}

class wide_bench {
public:
  explicit wide_bench(bench_context& context)
      : context_(context), world_(world_of(context.options())),
        members_(make_members()), floor_(context, side_of(true)),
        node_(context, side_of(false)) {
    events_ = context.options().events;
    if (events_ == 0)
      events_ = context.options().quick ? 2'000 : 100'000;
  }

  bench_report run() {
    auto report = context_.report("wide", node_.bed, placement_of(world_));
    report.conditions["spread"] = members_.spread();
    report.conditions["users"] = world_.users;
    report.conditions["channels_per_user"] = world_.channels_per_user;
    report.conditions["events"] = events_;
    context_.add_calibration(report);
    context_.progress().step(
        fmt::format("wide: bringing {} users online", world_.users));
    report.conditions["fill_seconds"] = node_.fill(context_);
    std::vector<double> floor_rates, node_rates;
    for (unsigned pair = 0; pair < context_.options().pairs; ++pair) {
      auto run_floor = [&] {
        floor_.program->launch(floor_.bed.heads());
        floor_.program->wait_ready(ready_timeout);
        floor_rates.push_back(measure(floor_, pair, report));
        floor_.program->stop();
      };
      if (floor_is_first(pair))
        run_floor();
      node_rates.push_back(measure(node_, pair, report));
      if (!floor_is_first(pair))
        run_floor();
    }
    node_.program->stop();
    auto floor = median(floor_rates), fantail = median(node_rates);
    using kind = target::kind;
    report.findings.push_back(
        {"wide", "deliveries/s", std::nullopt, fantail,
         target{kind::at_least, deliveries_per_second_min}, 0});
    report.findings.push_back({"wide", "deliveries/s, both", floor, fantail,
                               target{kind::ratio_at_least, ratio_min}, 0});
    report.findings.push_back({"wide", "deliveries missing or too many",
                               std::nullopt, static_cast<double>(faults_),
                               target{kind::at_most, 0}, 0});
    return report;
  }

private:
  channel_map make_members() {
    context_.progress().step("wide: drawing memberships");
    channel_map result{population{world_}};
    if (!result.save(map_path()))
      throw bench_error{"cannot write " + map_path()};
    return result;
  }

  std::string map_path() const { return directory_.path() + "/members"; }

  side_options side_of(bool is_floor) const {
    return {world_, is_floor, false, &members_, map_path()};
  }

  double measure(side& x, unsigned pair, bench_report& report) {
    context_.check_stop();
    context_.progress().step(
        fmt::format("wide, pair {}: {}", pair + 1, x.program->name()));
    x.sink.begin_run();
    auto before = x.source.deliveries();
    x.source.store(events_);
    auto wanted = x.source.deliveries() - before;
    wait_delivered(x, wanted);
    // What should not come needs a moment, too.
    std::this_thread::sleep_for(settle_pause);
    auto received = x.sink.take_totals();
    x.bed.forget_events();
    auto rate = static_cast<double>(received.deliveries) * 1e9
                / static_cast<double>(received.last_ns - received.first_ns);
    auto& frames = received.frames;
    report.runs.push_back(json::object{
        {"side", x.program->name()},
        {"deliveries_per_second", rate},
        {"expected", wanted},
        {"delivered", received.deliveries},
        {"messages", received.messages},
        {"bytes", received.bytes},
        {"repeats", frames.repeats},
        {"gaps", frames.gaps},
        {"lagging", frames.lagging},
    });
    auto faults = (std::max(wanted, received.deliveries)
                   - std::min(wanted, received.deliveries))
                  + frames.repeats + frames.gaps;
    if (&x == &node_)
      faults_ += faults;
    else if (faults > 0)
      report.invalid_comparison.push_back(
          fmt::format("pair {}: the floor delivered {} of {}", pair + 1,
                      received.deliveries, wanted));
    return rate;
  }

  void wait_delivered(side& x, uint64_t wanted) {
    auto seen = x.sink.deliveries();
    auto seen_at = steady::now();
    while (seen < wanted) {
      context_.check_stop();
      std::this_thread::sleep_for(5ms);
      if (std::exchange(seen, x.sink.deliveries()) != seen)
        seen_at = steady::now();
      if (steady::now() - seen_at > stall_patience)
        throw bench_error{
            fmt::format("the {} delivered {} of {} events, lagging {} times",
                        x.program->name(), seen, wanted,
                        x.sink.take_totals().frames.lagging)};
      context_.progress().detail(
          fmt::format("{:.0f} %", 100.0 * static_cast<double>(seen)
                                      / static_cast<double>(wanted)));
    }
  }

  bench_context& context_;
  population_config world_;
  scratch_directory directory_{"fantail-wide"};
  channel_map members_;
  side floor_;
  side node_;
  uint64_t events_;
  uint64_t faults_ = 0;
};

} // namespace

bench_report run_wide_bench(bench_context& context) {
  return wide_bench{context}.run();
}

} // namespace fantail::bench
