// SPDX-License-Identifier: MIT
#include "bench/presence_bench.hpp"

#include "bench/latency_json.hpp"
#include "bench/machine_facts.hpp"
#include "bench/presence_load.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr double inline_rate = 1'000;
constexpr double cached_rate = 10'000;
constexpr double latency_p99_ms_max = 50;
constexpr auto ready_timeout = 60s;
constexpr auto warm_up = 2s;

double milliseconds(uint64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

/// Changes of one kind, over all pairs.
struct series {
  std::string what;
  double rate;
  bool is_inline;
  std::vector<double> p50 = {};
  std::vector<double> p99 = {};
  std::vector<double> worst = {};
  std::vector<double> cpu_node = {};
  std::vector<double> cpu_server = {};
  uint64_t unanswered = 0;
};

class presence_bench {
public:
  explicit presence_bench(bench_context& context)
      : context_(context), bed_(context.bed_options(storage_kind::file)),
        node_(context.node(bed_)), users_(bed_, world_of(context.options())) {}

  bench_report run() {
    bench_report report;
    report.bench = "presence";
    auto& world = users_.world().config();
    report.conditions = {{"users", world.users},
                         {"channels", world.channels},
                         {"channels_per_user", world.channels_per_user},
                         {"instances", world.instances},
                         {"server", bed_.server_version()}};
    context_.add_calibration(report);
    fill(report);
    series kinds[]{{"inline", rate_of(inline_rate), true},
                   {"cached", rate_of(cached_rate), false}};
    for (auto& x : kinds) {
      measure(x, warm_up, nullptr);
      for (unsigned i = 0; i < context_.options().pairs; ++i)
        measure(x, length(), &report);
      add_findings(x, report);
    }
    report.findings.push_back(
        {"presence",
         "node RSS MiB",
         std::nullopt,
         static_cast<double>(usage_of(node_->pid()).resident_bytes) / (1 << 20),
         {},
         0});
    node_->stop();
    return report;
  }

private:
  static population_config world_of(const bench_options& options) {
    auto factor = options.quick ? 0.01 : options.scale;
    auto scaled = [&](double x) {
      return static_cast<uint32_t>(std::max(1.0, x * factor));
    };
    population_config result;
    result.users = scaled(result.users);
    result.channels = scaled(result.channels);
    return result;
  }

  double rate_of(double full) const {
    return context_.options().quick ? full / 10 : full;
  }

  duration length() const {
    auto& options = context_.options();
    auto seconds = options.quick ? 2.0 : 20.0;
    if (options.duration_s > 0)
      seconds = options.duration_s;
    return std::chrono::duration_cast<duration>(
        std::chrono::duration<double>{seconds});
  }

  void fill(bench_report& report) {
    auto& progress = context_.progress();
    progress.step(fmt::format("presence: bringing {} users online",
                              users_.world().config().users));
    node_->launch({});
    node_->wait_ready(ready_timeout);
    auto begin = steady::now();
    users_.fill(
        [&](double done) {
          progress.detail(fmt::format("{:.0f} %", done * 100));
        },
        context_.stop());
    context_.check_stop();
    report.conditions["fill_seconds"]
        = std::chrono::duration<double>(steady::now() - begin).count();
  }

  /// With a report it counts.
  void measure(series& x, duration time, bench_report* report) {
    context_.check_stop();
    context_.progress().step(
        fmt::format("presence: {:.0f} {} changes/s", x.rate, x.what));
    auto node_before = usage_of(node_->pid());
    auto server_before = usage_of(bed_.server_pid());
    auto begin = steady::now();
    auto outcome = x.is_inline ? users_.renew(x.rate, time, context_.stop())
                               : users_.churn(x.rate, time, context_.stop());
    auto seconds = std::chrono::duration<double>(steady::now() - begin).count();
    context_.check_stop();
    if (!report)
      return;
    auto latency = summarize(outcome.answer_latency);
    x.unanswered
        += outcome.changes - std::min(outcome.changes, outcome.answered);
    x.p50.push_back(milliseconds(latency.p50_ns));
    x.p99.push_back(milliseconds(latency.p99_ns));
    x.worst.push_back(milliseconds(latency.max_ns));
    x.cpu_node.push_back(
        (usage_of(node_->pid()).cpu_seconds - node_before.cpu_seconds)
        / seconds);
    x.cpu_server.push_back(
        (usage_of(bed_.server_pid()).cpu_seconds - server_before.cpu_seconds)
        / seconds);
    report->runs.push_back(json::object{{"kind", x.what},
                                        {"rate", x.rate},
                                        {"changes", outcome.changes},
                                        {"answered", outcome.answered},
                                        {"seconds", seconds},
                                        {"latency", to_json(latency)}});
  }

  void add_findings(const series& x, bench_report& report) const {
    using kind = target::kind;
    auto row = [&](const std::string& what, double figure, int decimals,
                   std::optional<target> goal = {}) {
      report.findings.push_back(
          {"presence", fmt::format("{:.0f}/s {}: {}", x.rate, x.what, what),
           std::nullopt, figure, goal, decimals});
    };
    row("change to exact table p50, ms", median(x.p50), 2);
    row("change to exact table p99, ms", median(x.p99), 2,
        target{kind::at_most, latency_p99_ms_max});
    row("slowest, ms", median(x.worst), 2);
    // A rate that is not sustained shows as answers that are missing.
    row("changes without an answer", static_cast<double>(x.unanswered), 0,
        target{kind::at_most, 0});
    row("cores, node", median(x.cpu_node), 2);
    row("cores, server", median(x.cpu_server), 2);
  }

  bench_context& context_;
  test_bed bed_;
  std::unique_ptr<contender> node_;
  presence_load users_;
};

} // namespace

bench_report run_presence_bench(bench_context& context) {
  return presence_bench{context}.run();
}

} // namespace fantail::bench
