// SPDX-License-Identifier: MIT
#include "bench/restart_bench.hpp"

#include "bench/http_get.hpp"
#include "bench/presence_load.hpp"
#include "core/subject.hpp"
#include "runtime/boot/server_process.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto patience = 300s;
constexpr auto poll_interval = 5ms;
/// No new snapshot for so long: the round is over.
constexpr auto quiet_time = 5s;
constexpr auto event_interval = 2ms;

double seconds_since(steady::time_point begin) {
  return std::chrono::duration<double>(steady::now() - begin).count();
}

/// The table as the node describes it.
struct table_facts {
  std::string digest;
  int64_t memberships = 0;
  int64_t users = 0;

  bool operator==(const table_facts&) const = default;
};

/// A whole node with its server, as users run it.
class whole_node {
public:
  whole_node(const bench_options& options, const std::atomic<bool>& stop)
      : options_(options), stop_(stop), directory_("fantail-restart"),
        port_(free_port()), nats_port_(free_port()) {}

  ~whole_node() { process_.stop(20s); }

  std::string url() const {
    return "nats://127.0.0.1:" + std::to_string(nats_port_);
  }

  void start() {
    std::vector<std::string> settings{
        "node.name=bench", "node.state-directory=" + directory_.path(),
        "nats.server=" + options_.server,
        "nats.port=" + std::to_string(nats_port_),
        "http.port=" + std::to_string(port_),
        // Nobody sends heartbeats here.
        "presence.ttl=24h",
        // A smaller world is killed with as large a part of it unwritten.
        "presence.snapshot-records=" + scaled(limits::snapshot_records_default),
        "presence.snapshot-bytes=" + scaled(limits::snapshot_bytes_default)};
    settings.insert(settings.end(), options_.node_settings.begin(),
                    options_.node_settings.end());
    std::vector<std::string> arguments{options_.program, "node"};
    for (auto& x : settings) {
      arguments.push_back("--set");
      arguments.push_back(x);
    }
    if (auto why = process_.start(arguments, log_path(), -1))
      throw bench_error{*why};
  }

  /// The kernel kills the server with the node.
  void kill() {
    process_.signal(SIGKILL);
    while (!process_.take_end())
      std::this_thread::sleep_for(1ms);
  }

  void wait_ready() {
    wait_until("does not get ready", [this] {
      auto answer = http_get(port_, "/ready", 5s);
      return answer && answer->status == 200;
    });
  }

  template <class Predicate>
  void wait_until(const char* what, Predicate is_done) {
    for (auto deadline = steady::now() + patience; !is_done();
         std::this_thread::sleep_for(poll_interval)) {
      if (stop_)
        throw interrupted{};
      if (auto end = process_.take_end())
        throw bench_error{"the node " + *end + ", see " + tail()};
      if (steady::now() > deadline)
        throw bench_error{std::string{"the node "} + what + "\n" + tail()};
    }
  }

  table_facts facts() const {
    auto answer = http_get(port_, "/debug/routing-stats?top=1", 30s);
    auto stats = answer && answer->status == 200 ? json::parse(answer->body)
                                                 : std::nullopt;
    if (!stats || !stats->find("Digest"))
      throw bench_error{"the node does not tell its table"};
    return {stats->string_or("Digest", ""), stats->int_or("Memberships", 0),
            stats->int_or("TotalUsers", 0)};
  }

  double metric(const std::string& series) const {
    auto answer = http_get(port_, "/metrics", 5s);
    auto text = answer ? "\n" + answer->body : std::string{};
    auto at = text.find("\n" + series + " ");
    return at == text.npos ? 0 : std::stod(text.substr(at + series.size() + 2));
  }

private:
  std::string scaled(uint64_t x) const {
    auto scale = options_.quick ? 0.0005 : options_.scale;
    auto result = static_cast<double>(x) * std::min(scale, 1.0);
    return std::to_string(static_cast<uint64_t>(std::max(result, 1.0)));
  }

  std::string log_path() const { return directory_.path() + "/node.log"; }

  std::string tail() const {
    constexpr size_t tail_bytes = 1'500;
    std::ifstream in{log_path(), std::ios::binary};
    std::ostringstream out;
    out << in.rdbuf();
    auto text = out.str();
    return text.substr(text.size() - std::min(text.size(), tail_bytes));
  }

  const bench_options& options_;
  const std::atomic<bool>& stop_;
  scratch_directory directory_;
  uint16_t port_;
  uint16_t nats_port_;
  server_process process_;
};

/// Somebody who writes to channels all the time, and an instance that listens:
/// tells when the first event came through after a restart.
class first_event_watch {
public:
  first_event_watch(const std::string& url, population world)
      : world_(std::move(world)), loop_("bench-first"),
        via_(connect_to(loop_, url, "fantail bench first event")) {
    via_->subscribe(std::string{subjects::instance_events} + ">",
                    [this](const nats::message&) {
                      if (!std::exchange(has_come_, true))
                        came_at_ = steady::now();
                    });
    writer_ = std::thread{[this] {
      write();
    }};
  }

  ~first_event_watch() {
    is_over_ = true;
    writer_.join();
    via_ = nullptr;
  }

  /// Forgets what came, and writes again.
  void arm() {
    loop_.run_and_wait([this] { has_come_ = false; });
    is_writing_ = true;
  }

  /// Stops writing; when the first event came since `arm`, if one did.
  std::optional<steady::time_point> disarm() {
    is_writing_ = false;
    std::optional<steady::time_point> result;
    loop_.run_and_wait([&] {
      if (has_come_)
        result = came_at_;
    });
    return result;
  }

private:
  void write() {
    uint32_t channel = 0;
    for (; !is_over_; std::this_thread::sleep_for(event_interval)) {
      if (!is_writing_ || !via_->is_up())
        continue;
      channel = (channel + 1) % world_.config().channels;
      std::string subject{subjects::chat_input};
      subject.append(population::channel_name(channel).view());
      via_->publish(subject, "{}");
      via_->flush();
    }
  }

  population world_;
  nats::event_loop loop_;
  std::unique_ptr<nats::connection> via_;
  std::atomic<bool> is_writing_ = false;
  std::atomic<bool> is_over_ = false;
  std::thread writer_;
  // These belong to the loop's thread.
  bool has_come_ = false;
  steady::time_point came_at_;
};

population_config world_of(const bench_options& options) {
  auto scaled = [&](double x) {
    return static_cast<uint32_t>(std::max(1.0, x * options.scale));
  };
  population_config result;
  result.users = options.quick ? 200 : scaled(100'000);
  result.channels = options.quick ? 1'000 : scaled(500'000);
  result.instances = options.quick ? 10 : 100;
  result.channels_per_user = options.quick ? 50 : 1'000;
  return result;
}

/// One restart.
struct restart_result {
  double exact_s = 0;
  std::optional<double> first_event_s;
  double replayed = 0;
  bool is_same = false;
};

class restart_bench {
public:
  explicit restart_bench(bench_context& context)
      : context_(context), world_(world_of(context.options())),
        node_(context.options(), context.stop()) {}

  bench_report run() {
    bench_report report;
    report.bench = "restart";
    report.conditions = {{"users", world_.users},
                         {"channels", world_.channels},
                         {"channels_per_user", world_.channels_per_user},
                         {"instances", world_.instances},
                         {"restarts", context_.options().pairs}};
    fill(report);
    auto before = node_.facts();
    if (before.users != world_.users)
      throw bench_error{"not everybody is online"};
    first_event_watch watch{node_.url(), population{world_}};
    for (unsigned i = 0; i < context_.options().pairs; ++i) {
      context_.progress().step(fmt::format("restart {}: kill -9", i + 1));
      results_.push_back(restart(watch, before));
      auto& x = results_.back();
      report.runs.push_back(
          json::object{{"exact_seconds", x.exact_s},
                       {"first_event_seconds", x.first_event_s.value_or(-1)},
                       {"records_behind", x.replayed},
                       {"is_same", x.is_same}});
    }
    add_findings(report, before);
    return report;
  }

private:
  void fill(bench_report& report) {
    auto& progress = context_.progress();
    progress.step(
        fmt::format("restart: bringing {} users online", world_.users));
    node_.start();
    node_.wait_ready();
    auto begin = steady::now();
    {
      presence_load presence{node_.url(), world_};
      presence.fill(
          [&](double done) {
            progress.detail(fmt::format("{:.0f} %", done * 100));
          },
          context_.stop());
    }
    context_.check_stop();
    report.conditions["fill_seconds"] = seconds_since(begin);
    progress.step("restart: waiting for snapshots");
    wait_for_snapshots();
    report.conditions["records_behind"]
        = node_.metric("fanout_presence_records_behind");
  }

  /// Until a round is complete and no other has begun.
  void wait_for_snapshots() {
    auto written = [this] {
      return node_.metric("fanout_snapshots_total{result=\"written\"}");
    };
    double last = -1;
    auto moved_at = steady::now();
    node_.wait_until("writes no snapshots", [&] {
      if (auto now = written(); now != last) {
        last = now;
        moved_at = steady::now();
      }
      return last > 0 && steady::now() - moved_at > quiet_time;
    });
  }

  restart_result restart(first_event_watch& watch, const table_facts& before) {
    restart_result result;
    result.replayed = node_.metric("fanout_presence_records_behind");
    node_.kill();
    watch.arm();
    auto begin = steady::now();
    node_.start();
    node_.wait_ready();
    result.exact_s = seconds_since(begin);
    result.is_same = node_.facts() == before;
    // An event is on its way at that moment.
    std::this_thread::sleep_for(500ms);
    if (auto at = watch.disarm())
      result.first_event_s = std::chrono::duration<double>(*at - begin).count();
    return result;
  }

  void add_findings(bench_report& report, const table_facts& before) {
    std::vector<double> exact, first;
    double different = 0;
    for (auto& x : results_) {
      exact.push_back(x.exact_s);
      if (x.first_event_s)
        first.push_back(*x.first_event_s);
      different += !x.is_same;
    }
    auto millions = static_cast<double>(before.memberships) / 1e6;
    using kind = target::kind;
    report.findings = {
        {"restart", "memberships, millions", {}, millions, {}, 2},
        {"restart",
         "exact table after kill -9, s",
         {},
         median(exact),
         target{kind::at_most, 1 + 0.1 * millions},
         2},
        {"restart",
         "tables that differ",
         {},
         different,
         target{kind::at_most, 0},
         0},
    };
    if (!first.empty())
      report.findings.push_back(
          {"restart", "first event routed, s", {}, median(first), {}, 2});
  }

  bench_context& context_;
  population_config world_;
  whole_node node_;
  std::vector<restart_result> results_;
};

} // namespace

bench_report run_restart_bench(bench_context& context) {
  return restart_bench{context}.run();
}

} // namespace fantail::bench
