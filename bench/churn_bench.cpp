// SPDX-License-Identifier: MIT
#include "bench/churn_bench.hpp"

#include "bench/churn_world.hpp"
#include "bench/latency_json.hpp"
#include "bench/machine_facts.hpp"
#include "bench/open_loop.hpp"
#include "bench/server_sample.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr double rate_default = 1'000;
constexpr double minutes_default = 30;
constexpr double flatness_max = 0.05;
constexpr size_t unanswered_max = 20'000;
constexpr size_t filling_max = 500;
constexpr size_t channels_per_question = 100;
constexpr auto patience = 120s;
constexpr auto pause = 1ms;

/// What node and server take.
struct sample {
  double seconds;
  uint64_t node_bytes;
  server_sample server;
};

class churn_bench {
public:
  explicit churn_bench(bench_context& context)
      : context_(context), options_(context.options()),
        bed_(context.bed_options(storage_kind::file)),
        node_(make_node(bed_, options_.program, settings())),
        loop_("bench-churn"),
        connection_(bed_.connect(loop_, "fantail bench churn")),
        random_(seed()),
        world_(std::in_place, loop_, *connection_, shape(), random_()) {}

  ~churn_bench() {
    // It unsubscribes, and waits for the handlers of changes under way.
    world_.reset();
    connection_ = nullptr;
    loop_.run_and_wait([] {});
  }

  bench_report run() {
    bench_report report;
    report.bench = "churn";
    auto& world = world_->shape().config();
    report.conditions = {{"users", world.users},
                         {"channels", world.channels},
                         {"channels_per_user", world.channels_per_user},
                         {"rate", rate()},
                         {"seconds", length() / 1s},
                         {"kill_every", options_.kill_every_s}};
    node_->launch({});
    node_->wait_ready(patience);
    fill();
    change_on(report);
    finish(report);
    return report;
  }

private:
  // -- what is asked for

  double rate() const {
    return options_.rate > 0 ? options_.rate : rate_default;
  }

  duration length() const {
    auto seconds = options_.quick ? 3.0 : minutes_default * 60;
    if (options_.duration_s > 0)
      seconds = options_.duration_s;
    return std::chrono::duration_cast<duration>(
        std::chrono::duration<double>{seconds});
  }

  duration sample_interval() const {
    return std::min<duration>(10s, length() / 12);
  }

  population_config shape() const {
    auto factor = options_.quick ? 0.01 : options_.scale;
    population_config result;
    result.users = std::max(20u, static_cast<uint32_t>(20'000 * factor));
    result.channels = std::max(50u, static_cast<uint32_t>(50'000 * factor));
    result.channels_per_user = std::min(200u, result.channels / 5);
    result.instances = 20;
    return result;
  }

  /// Half of those who are offline do not fit the cache.
  std::vector<std::string> settings() const {
    auto world = shape();
    auto all = uint64_t{world.users} * world.channels_per_user;
    std::vector<std::string> result{"presence.ttl=24h",
                                    "presence.cache-memberships="
                                        + std::to_string(all / 5),
                                    "presence.dirty-bytes=16MiB"};
    result.insert(result.end(), options_.node_settings.begin(),
                  options_.node_settings.end());
    return result;
  }

  static uint64_t seed() { return static_cast<uint64_t>(to_ns(steady::now())); }

  // -- the run

  void fill() {
    auto users = world_->shape().config().users;
    context_.progress().step(fmt::format("churn: {} users", users));
    for (uint32_t user = 0; user < users; ++user) {
      world_->appear(user);
      wait_unanswered_below(filling_max);
    }
    wait_unanswered_below(1);
  }

  void change_on(bench_report& report) {
    context_.progress().step(fmt::format("churn: {:.0f} changes/s", rate()));
    auto begin = steady::now();
    auto end = begin + length();
    auto next_sample = begin;
    auto next_kill = kill_time(begin);
    open_loop plan{to_ns(begin), rate()};
    auto done_before = world_->changes();
    world_->take_answers();
    for (auto now = begin; now < end; now = steady::now()) {
      context_.check_stop();
      auto due = plan.due(to_ns(now));
      while (world_->changes() - done_before < due
             && world_->unanswered() < unanswered_max)
        world_->step();
      if (now >= next_sample) {
        take_sample(std::chrono::duration<double>(now - begin).count());
        next_sample += sample_interval();
      }
      if (now >= next_kill) {
        kill_and_start();
        next_kill = kill_time(steady::now());
      }
      std::this_thread::sleep_for(pause);
    }
    changes_ = world_->changes() - done_before;
    behind_ = plan.due(to_ns(end)) - std::min(plan.due(to_ns(end)), changes_);
    for (auto& x : samples_)
      report.runs.push_back(
          json::object{{"seconds", x.seconds},
                       {"node_bytes", x.node_bytes},
                       {"server_bytes", x.server.resident_bytes},
                       {"disk_bytes", x.server.disk_bytes}});
  }

  time_point kill_time(time_point from) {
    if (options_.kill_every_s <= 0)
      return time_point::max();
    // Anywhere between at once and twice the mean.
    auto seconds = 2 * random_.unit() * options_.kill_every_s;
    return from
           + std::chrono::duration_cast<duration>(
               std::chrono::duration<double>{seconds});
  }

  /// The server comes back by itself.
  void kill_and_start() {
    auto server = bed_.server_pid();
    auto with_server = random_.below(2) == 0;
    if (with_server && server)
      ::kill(*server, SIGKILL);
    if (auto node = node_->pid())
      ::kill(*node, SIGKILL);
    node_->stop();
    ++kills_;
    std::this_thread::sleep_for(std::chrono::milliseconds{random_.below(500)});
    auto deadline = steady::now() + patience;
    while (with_server && bed_.server_pid() == server
           && steady::now() < deadline)
      std::this_thread::sleep_for(10ms);
    if (!connection_->wait_up(patience))
      throw bench_error{"the server did not come back"};
    node_->launch({});
    node_->wait_ready(patience);
  }

  void take_sample(double seconds) {
    samples_.push_back(
        {seconds, usage_of(node_->pid()).resident_bytes, sample_server(bed_)});
    auto& x = samples_.back();
    context_.progress().detail(
        fmt::format("{:.0f} s, node {} MiB, server {} MiB, disk {} MiB, "
                    "{} unanswered, {} kills",
                    seconds, x.node_bytes >> 20, x.server.resident_bytes >> 20,
                    x.server.disk_bytes >> 20, world_->unanswered(), kills_));
  }

  void wait_unanswered_below(size_t count) {
    auto seen = world_->unanswered();
    auto seen_at = steady::now();
    while (world_->unanswered() >= count) {
      context_.check_stop();
      if (std::exchange(seen, world_->unanswered()) != seen)
        seen_at = steady::now();
      if (steady::now() - seen_at > patience)
        throw bench_error{fmt::format("{} changes stay unanswered", seen)};
      std::this_thread::sleep_for(pause);
    }
  }

  // -- the end

  void finish(bench_report& report) {
    context_.progress().step("churn: comparing the table");
    wait_unanswered_below(1);
    auto answers = world_->take_answers();
    auto wrong = wrong_entries();
    if (kills_ > 0) {
      // What is in memory may be right, and what would be rebuilt wrong.
      kill_and_start();
      wrong += wrong_entries();
    }
    node_->stop();
    add_findings(report, answers, wrong);
    // An answer that a kill cost is not asked for again once the same user has
    // changed anew; the table shows whether the change was lost.
    auto silent = kills_ > 0 ? 0 : answers.missing;
    if (wrong > 0 || answers.rejected > 0 || silent > 0)
      throw bench_error{fmt::format(
          "the table has {} wrong entries of {}; {} changes were refused ({}), "
          "{} not answered",
          wrong, compared_, answers.rejected, answers.last_refusal,
          answers.missing)};
  }

  /// Compares the table with the model, entry by entry.
  uint64_t wrong_entries() {
    auto wanted = world_->table();
    uint64_t wrong = 0;
    auto channels = world_->shape().config().channels;
    for (uint32_t first = 0; first < channels; first += channels_per_question) {
      auto last = std::min<uint32_t>(first + channels_per_question, channels);
      auto found = ask_routes(first, last);
      for (auto channel = first; channel < last; ++channel) {
        auto row = found.find(population::channel_name(channel).view());
        wrong += compare(wanted[channel], row ? row->find("Instances") : row);
      }
    }
    return wrong;
  }

  uint64_t compare(const churn_world::row& wanted, const json::value* found) {
    uint64_t wrong = 0;
    auto& config = world_->shape().config();
    for (uint16_t i = 0; i < config.instances; ++i) {
      auto known = wanted.find(i);
      auto users = known == wanted.end() ? 0u : known->second;
      auto name = population::instance_name(i);
      auto there = found ? found->int_or(name.view(), 0) : 0;
      wrong += there != static_cast<int64_t>(users);
      ++compared_;
    }
    return wrong;
  }

  json::value ask_routes(uint32_t first, uint32_t last) {
    std::string target{"/debug/routes?channel="};
    for (auto channel = first; channel < last; ++channel)
      target.append(channel > first ? "," : "")
          .append(population::channel_name(channel).view());
    return node_->ask(target);
  }

  void add_findings(bench_report& report, const churn_world::answers& answers,
                    uint64_t wrong) const {
    using kind = target::kind;
    auto row = [&](const std::string& what, double figure, int decimals,
                   std::optional<target> goal = {}) {
      report.findings.push_back(
          {"churn", what, std::nullopt, figure, goal, decimals});
    };
    row("table entries compared", static_cast<double>(compared_), 0);
    row("table entries wrong", static_cast<double>(wrong), 0,
        target{kind::at_most, 0});
    row("changes", static_cast<double>(changes_), 0);
    row("changes behind the plan", static_cast<double>(behind_), 0);
    row("kills", static_cast<double>(kills_), 0);
    row("changes without an answer", static_cast<double>(answers.missing), 0);
    row("change to exact table p99, ms",
        static_cast<double>(summarize(answers.latency).p99_ns) / 1e6, 2);
    auto series = [&](const std::string& what, auto bytes_of) {
      std::vector<double> values;
      for (auto& x : samples_)
        values.push_back(static_cast<double>(bytes_of(x)) / (1 << 20));
      auto flat = flatness_of(values);
      // A process that was killed begins small; that is no growth.
      auto goal = kills_ > 0
                      ? std::nullopt
                      : std::optional{target{kind::at_most, flatness_max}};
      row(what + ", MiB in the end", values.empty() ? 0 : values.back(), 0);
      row(what + ": growth after the first third", flat.growth, 3, goal);
      row(what + ": highest above the mean", flat.excess, 3, goal);
    };
    series("node RSS", [](const sample& x) { return x.node_bytes; });
    series("server RSS",
           [](const sample& x) { return x.server.resident_bytes; });
    series("disk", [](const sample& x) { return x.server.disk_bytes; });
  }

  bench_context& context_;
  const bench_options& options_;
  test_bed bed_;
  std::unique_ptr<node_contender> node_;
  nats::event_loop loop_;
  std::unique_ptr<nats::connection> connection_;
  fast_random random_;
  std::optional<churn_world> world_;
  std::vector<sample> samples_;
  uint64_t changes_ = 0;
  uint64_t behind_ = 0;
  uint64_t kills_ = 0;
  uint64_t compared_ = 0;
};

} // namespace

flatness flatness_of(const std::vector<double>& samples) {
  auto first = samples.size() / 3;
  auto count = samples.size() - first;
  if (count < 3)
    return {};
  auto begin = samples.begin() + static_cast<std::ptrdiff_t>(first);
  auto n = static_cast<double>(count);
  auto mean = std::accumulate(begin, samples.end(), 0.0) / n;
  if (mean <= 0)
    return {};
  double products = 0, squares = 0;
  for (size_t i = 0; i < count; ++i) {
    auto x = static_cast<double>(i) - (n - 1) / 2;
    products += x * (begin[static_cast<std::ptrdiff_t>(i)] - mean);
    squares += x * x;
  }
  auto slope = products / squares;
  return {slope * (n - 1) / mean,
          *std::max_element(begin, samples.end()) / mean - 1};
}

bench_report run_churn_bench(bench_context& context) {
  return churn_bench{context}.run();
}

} // namespace fantail::bench
