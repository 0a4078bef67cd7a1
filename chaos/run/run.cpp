// SPDX-License-Identifier: MIT
#include "chaos/run/run.hpp"

#include "chaos/plan/schedule.hpp"
#include "chaos/run/breaker.hpp"
#include "chaos/run/live_view.hpp"
#include "chaos/run/run_setup.hpp"
#include "chaos/run/scratch_directory.hpp"
#include "core/json.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>

namespace fantail::chaos {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto start_timeout = 60s;
constexpr auto fill_timeout = 120s;
/// What may be under way when the load ends, after the longest outage; less if
/// somebody waits for the end.
constexpr auto settle_timeout = 120s;
constexpr auto settle_timeout_stopped = 10s;
/// What has not come when everybody is there and nothing has moved for so long
/// does not come any more.
constexpr auto standstill = 20s;
/// How long the load goes on beyond the end until the last fault is over, and
/// for how long then.
constexpr auto recovery_patience = 60s;
constexpr auto afterglow = 500ms;
/// Time for what nobody may get any more.
constexpr auto silence_at_end = 500ms;
constexpr auto run_step = 2ms;
constexpr auto usage_interval = 1s;
constexpr user_number users_asked = 200;
constexpr int ask_attempts = 3;
constexpr uint64_t store_bytes_max = 16ull << 30;

/// Ends the run with a reason for the user.
class run_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

checker_config judging(const history_head& head) {
  checker_config result;
  result.formats = head.formats;
  return result;
}

std::unique_ptr<history_writer> keep(const chaos_options& options,
                                     const history_head& head) {
  if (options.keep.empty())
    return nullptr;
  auto made = history_writer::create(options.keep, head);
  if (auto* why = std::get_if<std::string>(&made))
    throw run_error{*why};
  return std::move(std::get<0>(made));
}

/// Everything a run needs, in the order in which it is made.
class chaos_run {
public:
  explicit chaos_run(const run_options& options)
      : options_(options), stop_(*options.rest.stop),
        world_(world_of(options.rest)), head_(head_of(options)),
        view_(options.length), disk_(make_disk()),
        notes_(judging(head_), keep(options.rest, head_)),
        server_(start_server()),
        proxy_(options.what.has(fault_kind::connection_cut)
                   ? std::make_unique<cut_proxy>(server_->port())
                   : nullptr),
        node_(node_of()),
        load_(world_, notes_, server_->url(),
              {options.rest.rate, options.rest.churn, options.rest.seed}) {}

  report operator()() {
    start();
    {
      breakables targets{node_,        *server_,    server_returns_,
                         proxy_.get(), disk_.get(), instances_,
                         load_};
      breaker breaks{options_.what, targets, notes_, stop_, [this] {
                       look();
                     }};
      break_things(breaks);
      settle(breaks);
      had_other_lives_ = breaks.node_ends() > 0;
    }
    ask();
    // Without an end, nobody concludes from a kept history either.
    if (inconclusive_.empty())
      notes_.note(run_ended{});
    notes_.finish();
    instances_.clear();
    node_.stop();
    auto& kept = options_.rest.keep;
    if (!kept.empty() && !node_.keep_log(kept + ".node.log"))
      remarks_.push_back("the log of the node could not be kept");
    return conclude();
  }

private:
  std::string server_directory() const { return directory_.path() + "/server"; }

  std::unique_ptr<server_disk> make_disk() {
    std::filesystem::create_directories(server_directory());
    if (!options_.what.has(fault_kind::disk_full))
      return nullptr;
    auto made = server_disk::mount(server_directory());
    if (auto* why = std::get_if<std::string>(&made)) {
      auto what = "disk-full: not possible here (it takes root): " + *why;
      auto is_all = std::ranges::all_of(options_.what.faults, [](auto& x) {
        return x.what == fault_kind::disk_full;
      });
      if (is_all)
        throw run_error{what};
      remarks_.push_back(what + "; left out");
      return nullptr;
    }
    return std::move(std::get<0>(made));
  }

  std::unique_ptr<embedded_server> start_server() {
    view_.phase("starting a nats-server and a node");
    embedded_server_config config;
    config.program = options_.rest.server;
    config.state_directory = server_directory();
    config.shards = world_.config().shards;
    config.store_bytes_max = store_bytes_max;
    embedded_server_handlers on;
    on.on_up = [this](duration) {
      ++server_returns_;
    };
    auto started = embedded_server::start(std::move(config), std::move(on));
    if (auto* why = std::get_if<std::string>(&started))
      throw run_error{*why};
    return std::move(std::get<0>(started));
  }

  node_options node_of() const {
    node_options result;
    result.program = options_.rest.program;
    result.directory = directory_.path();
    result.nats_url = proxy_
                          ? "nats://127.0.0.1:" + std::to_string(proxy_->port())
                          : server_->url();
    result.settings
        = node_settings_of(options_.rest, world_.config().shards, !!disk_);
    return result;
  }

  // -- phases ----------------------------------------------------------------

  /// Waits for something the node has to do; throws `why` if it does not.
  template <class Condition>
  void require(Condition holds, duration timeout, const std::string& why) {
    for (auto until = steady::now() + timeout; !holds();
         std::this_thread::sleep_for(run_step)) {
      if (stop_)
        throw run_error{"stopped before anything was broken"};
      auto end = node_.take_end();
      if (end || steady::now() > until)
        throw run_error{(end ? "the node " + *end : why) + "; its last words:\n"
                        + node_.last_words()};
    }
  }

  void start() {
    if (auto why = node_.start())
      throw run_error{*why};
    require([this] { return node_.is_ready(); }, start_timeout,
            "the node does not get ready");
    if (options_.what.needs_admin_api())
      if (auto why = find_admin_api(node_, options_.what))
        throw run_error{*why};
    notes_.note(node_changed{true});
    view_.phase("bringing users online");
    for (instance_number i = 0; i < world_.config().instances; ++i)
      instances_.emplace_back(world_, notes_, server_->url(), i).start();
    for (auto& x : instances_)
      require([&] { return x.wait_registered(run_step); }, start_timeout,
              "an instance is not registered");
    require([this] { return load_.wait_up(run_step); }, start_timeout,
            "the load is not connected");
    auto is_filled = load_.fill(fill_timeout, stop_);
    require([=] { return is_filled; }, 0s, "the users do not come online");
  }

  void break_things(breaker& breaks) {
    auto schedule
        = make_schedule(options_.what, options_.rest.seed, options_.length);
    if (!disk_)
      std::erase_if(schedule, [this](auto& x) {
        return options_.what.faults[x.fault].what == fault_kind::disk_full;
      });
    note_usage();
    load_.begin();
    view_.begin();
    size_t done = 0;
    // A load that ends before the last fault is over would not show how.
    auto is_over = [this] {
      auto late = view_.elapsed() - options_.length;
      return stop_ || late > recovery_patience
             || (late > duration{} && !notes_.look().awaits_recovery);
    };
    while (!is_over()) {
      auto since = view_.elapsed();
      if (since > options_.length)
        view_.breaking("recovering");
      if (done < schedule.size() && since >= schedule[done].at) {
        auto& fault = schedule[done++];
        view_.breaking(
            std::string{to_string(options_.what.faults[fault.fault].what)});
        view_.broken(breaks.carry_out(fault), since);
      }
      breaks.watch();
      look();
      std::this_thread::sleep_for(run_step);
    }
    // And so that all shards and instances can show it.
    if (!stop_)
      std::this_thread::sleep_for(afterglow);
    load_.end();
    auto total = schedule.size();
    if (stop_)
      inconclusive_ = "stopped before its end; " + std::to_string(done) + " of "
                      + std::to_string(total) + " faults were carried out";
    else if (done < total)
      remarks_.push_back(std::to_string(total - done) + " of "
                         + std::to_string(total)
                         + " planned faults were not reached");
  }

  /// Waits until everything has come that can come.
  void settle(breaker& breaks) {
    view_.phase(stop_ ? "stopping; once more, and it ends at once"
                      : "waiting for what is under way");
    if (stop_)
      for (auto number : {SIGINT, SIGTERM})
        std::signal(number, SIG_DFL);
    auto begin = steady::now();
    auto moved_at = begin;
    auto seen = notes_.look();
    while (!load_.is_quiet() || seen.lag > 0 || !node_.is_ready()) {
      auto now = steady::now();
      auto last = std::exchange(seen, notes_.look());
      if (last.deliveries != seen.deliveries || last.lag != seen.lag
          || !node_.is_ready() || !server_->is_up())
        moved_at = now;
      auto timeout
          = stop_ ? duration{settle_timeout_stopped} : duration{settle_timeout};
      if (now - begin > timeout || now - moved_at > standstill) {
        give_up(seen.lag);
        break;
      }
      breaks.watch();
      look();
      std::this_thread::sleep_for(10ms);
    }
    std::this_thread::sleep_for(silence_at_end);
    note_usage();
  }

  void give_up(uint64_t lag) {
    remarks_.push_back("at the end " + std::to_string(lag)
                       + " events have not come everywhere, "
                       + load_.what_is_open());
    if (!load_.is_quiet() && inconclusive_.empty())
      inconclusive_ = "not everything was answered";
  }

  /// Compares what the node says with what happened.
  void ask() {
    for (user_number i = 0; i < std::min(users_asked, options_.rest.users); ++i)
      ask_for(i);
    auto answer = node_.api().get("/debug/routing-stats", 10s);
    auto stats = answer ? json::parse(answer->body) : std::nullopt;
    auto is_exact = load_.is_quiet();
    using enum counter_read::kind;
    auto count = [&](counter_read::kind what, std::string_view key) {
      if (auto* value = stats ? stats->find(key) : nullptr)
        notes_.note(counter_read{
            what, static_cast<uint64_t>(value->as_double().value_or(0)),
            is_exact});
      else
        inconclusive_ = "the node does not tell " + std::string{key};
    };
    count(users, "TotalUsers");
    count(sessions, "Sessions");
    // A node counts the events of its own life only.
    if (auto value = node_.metric_sum("fanout_messages_processed_total"))
      notes_.note(counter_read{events, *value, is_exact && !had_other_lives_});
  }

  void ask_for(user_number x) {
    for (int i = 0; i < ask_attempts; ++i)
      if (load_.ask_for(x))
        return;
    inconclusive_ = "the node does not answer where users are";
  }

  report conclude() {
    auto& judged = notes_.judged();
    report result{head_, judged.result(), judged.judge(), inconclusive_,
                  remarks_};
    if (inconclusive_.empty())
      result.invalid_because
          = result.found.invalid_because(judged.decided_min());
    if (auto why = notes_.file_problem(); !why.empty())
      result.remarks.push_back("the history is not whole: " + why);
    return result;
  }

  // -- while it runs ---------------------------------------------------------

  void note_usage() {
    usage_at_ = steady::now();
    if (auto x = node_.usage())
      notes_.note(*x);
  }

  void look() {
    if (steady::now() - usage_at_ >= usage_interval)
      note_usage();
    if (view_.is_due())
      view_.show(notes_.look());
  }

  const run_options& options_;
  const std::atomic<bool>& stop_;
  world world_;
  history_head head_;
  live_view view_;
  std::vector<std::string> remarks_;
  /// Why nothing can be concluded, whatever was seen; or empty.
  std::string inconclusive_;
  bool had_other_lives_ = false;
  time_point usage_at_{};
  scratch_directory directory_;
  /// Made before any thread is, so that all of them see it.
  std::unique_ptr<server_disk> disk_;
  std::atomic<uint64_t> server_returns_ = 0;
  recorder notes_;
  std::unique_ptr<embedded_server> server_;
  std::unique_ptr<cut_proxy> proxy_;
  node_process node_;
  std::deque<instance_under_test> instances_;
  load load_;
};

} // namespace

std::variant<report, std::string> run(const run_options& options) {
  try {
    return chaos_run{options}();
  } catch (const std::runtime_error& error) {
    return std::string{error.what()};
  }
}

} // namespace fantail::chaos
