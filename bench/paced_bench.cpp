// SPDX-License-Identifier: MIT
#include "bench/paced_bench.hpp"

#include "bench/side.hpp"

#include <fmt/format.h>

#include <thread>

namespace fantail::bench {

namespace {

constexpr auto ready_timeout = 60s;

/// The node tells the server about once per second how far it has settled;
/// only then may the events go.
constexpr auto settle_pause = 1'500ms;

double milliseconds(uint64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

struct paced_side : side {
  using side::side;

  std::vector<paced_run_result> results;
};

class paced_bench {
public:
  paced_bench(bench_context& context, const paced_bench_spec& spec)
      : context_(context), spec_(spec), placement_(placement_of(spec.world)),
        floor_(context, {spec.world, true}), node_(context, {spec.world}) {
    if (!node_.presence.world().has_exact_spread())
      throw bench_error{"too few users for this spread"};
  }

  bench_report run() {
    auto report = context_.report(spec_.bench, node_.bed, placement_);
    report.conditions["rate"] = spec_.load.rate;
    report.conditions["seconds"]
        = std::chrono::ceil<std::chrono::seconds>(spec_.load.length).count();
    report.conditions["users"] = spec_.world.users;
    report.conditions["channels_per_user"] = spec_.world.channels_per_user;
    report.conditions["presence_changes"] = spec_.load.presence_changes;
    context_.add_calibration(report);
    start_node(report);
    for (unsigned pair = 0; pair < context_.options().pairs; ++pair) {
      if (floor_is_first(pair))
        measure_floor(pair, report);
      measure(node_, pair, report);
      if (!floor_is_first(pair))
        measure_floor(pair, report);
    }
    node_.program->stop();
    add_findings(report);
    return report;
  }

private:
  void start_node(bench_report& report) {
    context_.progress().step(fmt::format("{}: bringing {} users online",
                                         spec_.bench, spec_.world.users));
    report.conditions["fill_seconds"] = node_.fill(context_);
  }

  void measure_floor(unsigned pair, bench_report& report) {
    floor_.program->launch(floor_.bed.heads());
    floor_.program->wait_ready(ready_timeout);
    measure(floor_, pair, report);
    floor_.program->stop();
  }

  void measure(paced_side& x, unsigned pair, bench_report& report) {
    context_.check_stop();
    context_.progress().step(fmt::format("{}, pair {}: {}", spec_.bench,
                                         pair + 1, x.program->name()));
    auto result = run_paced({x.bed, *x.program, x.sink, x.source, &x.presence,
                             context_.progress(), context_.stop()},
                            spec_.load);
    context_.check_stop();
    auto line = to_json(result);
    report.runs.push_back(
        json::object{{"side", x.program->name()}, {"result", line}});
    if (auto problem = lateness_problem(milliseconds(result.lateness.p99_ns),
                                        milliseconds(result.end_to_end.p99_ns)))
      report.invalid.push_back(fmt::format("pair {}, {}: {}", pair + 1,
                                           x.program->name(), *problem));
    if (result.stored != result.published)
      report.invalid.push_back(
          fmt::format("pair {}, {}: the server stored {} of {}", pair + 1,
                      x.program->name(), result.stored, result.published));
    if (&x == &floor_ && !result.is_complete())
      report.invalid_comparison.push_back(
          fmt::format("pair {}: the floor delivered {} of {}", pair + 1,
                      result.delivered, result.expected));
    x.results.push_back(std::move(result));
    std::this_thread::sleep_for(settle_pause);
    x.bed.forget_events();
  }

  void add_findings(bench_report& report) const {
    auto median_of = [](const paced_side& x, const paced_metric& metric) {
      std::vector<double> values;
      for (auto& result : x.results)
        values.push_back(metric.of(result));
      return median(std::move(values));
    };
    for (auto& metric : spec_.metrics) {
      finding row{spec_.bench,  metric.what,
                  std::nullopt, median_of(node_, metric),
                  metric.goal,  metric.decimals};
      if (metric.has_floor)
        row.floor = median_of(floor_, metric);
      report.findings.push_back(std::move(row));
    }
    // A median would forgive a loss.
    uint64_t faults = 0;
    for (auto& x : node_.results)
      faults += (x.expected > x.delivered ? x.expected - x.delivered
                                          : x.delivered - x.expected)
                + x.frames.repeats + x.frames.gaps;
    report.findings.push_back({spec_.bench, "deliveries missing or too many",
                               std::nullopt, static_cast<double>(faults),
                               target{target::kind::at_most, 0}, 0});
  }

  bench_context& context_;
  const paced_bench_spec& spec_;
  channel_placement placement_;
  paced_side floor_;
  paced_side node_;
};

} // namespace

std::function<double(const paced_run_result&)>
in_ms(latency_summary paced_run_result::*which,
      uint64_t latency_summary::*quantile) {
  return [=](const paced_run_result& x) {
    return milliseconds(x.*which.*quantile);
  };
}

paced_run_options paced_load(const bench_options& options, double rate,
                             double seconds) {
  paced_run_options result;
  result.rate = options.rate > 0 ? options.rate : rate;
  result.length
      = std::chrono::duration_cast<duration>(std::chrono::duration<double>{
          options.duration_s > 0 ? options.duration_s : seconds});
  if (options.quick)
    result.warm_up = 500ms;
  return result;
}

bench_report run_paced_bench(bench_context& context,
                             const paced_bench_spec& spec) {
  return paced_bench{context, spec}.run();
}

} // namespace fantail::bench
