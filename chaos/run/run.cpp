// SPDX-License-Identifier: MIT
#include "chaos/run/run.hpp"

#include "chaos/plan/schedule.hpp"
#include "chaos/run/breaker.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>

namespace fantail::chaos {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto start_timeout = 60s;
constexpr auto fill_timeout = 120s;
/// What may be under way when the load ends, after the longest outage.
constexpr auto settle_timeout = 120s;
constexpr auto line_interval = 1s;
constexpr auto poll_interval = 10ms;
constexpr user_number users_asked = 200;
constexpr uint64_t store_bytes_max = 16ull << 30;

/// Ends the run with a reason for the user.
class run_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// A directory that vanishes with the run.
class scratch_directory {
public:
  scratch_directory() {
    auto pattern
        = (std::filesystem::temp_directory_path() / "fantail-chaos-XXXXXX")
              .string();
    if (!::mkdtemp(pattern.data()))
      throw run_error{"no scratch directory could be made"};
    path_ = pattern;
  }
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

bool cuts_connections(const plan& x) {
  return std::ranges::any_of(x.faults, [](auto& fault) {
    return fault.what == fault_kind::connection_cut;
  });
}

world_config world_of(const chaos_options& x) {
  world_config result;
  result.users = x.users;
  result.channels = x.channels;
  result.instances = static_cast<instance_number>(x.instances);
  result.spread = std::min(result.spread, result.instances);
  result.seed = x.seed;
  return result;
}

history_head head_of(const run_options& options) {
  auto& x = options.rest;
  history_head result;
  result.build = x.build;
  result.plan = options.what.name;
  result.seed = x.seed;
  for (uint32_t i = 0; i < x.instances; ++i)
    result.formats.push_back(world::format_of(static_cast<instance_number>(i)));
  auto number = [](double value) {
    return std::to_string(static_cast<uint64_t>(value));
  };
  result.settings
      = {"duration=" + x.duration,         "rate=" + number(x.rate),
         "churn=" + number(x.churn),       "users=" + number(x.users),
         "channels=" + number(x.channels), "instances=" + number(x.instances)};
  result.settings.insert(result.settings.end(), x.node_settings.begin(),
                         x.node_settings.end());
  return result;
}

/// Everything a run needs, in the order in which it is made.
class chaos_run {
public:
  explicit chaos_run(const run_options& options)
      : options_(options), stop_(*options.rest.stop),
        world_(world_of(options.rest)), head_(head_of(options)),
        notes_(judging(head_), keep(options.rest, head_)),
        server_(start_server()),
        proxy_(cuts_connections(options.what)
                   ? std::make_unique<cut_proxy>(server_->port())
                   : nullptr),
        node_(node_of()),
        load_(world_, notes_, server_->url(),
              {options.rest.rate, options.rest.churn, options.rest.seed}) {}

  report operator()() {
    start();
    break_things();
    settle();
    ask();
    notes_.note(run_ended{});
    notes_.finish();
    line("");
    std::fprintf(stderr, "\n");
    instances_.clear();
    node_.stop();
    report result{head_, notes_.judged().result(), notes_.judged().judge(),
                  decided_min_};
    if (auto why = notes_.file_problem(); !why.empty())
      result.remarks.push_back("the history is not whole: " + why);
    if (!remark_.empty())
      result.remarks.push_back(remark_);
    return result;
  }

private:
  checker_config judging(const history_head& head) {
    checker_config result;
    result.formats = head.formats;
    decided_min_ = result.decided_min;
    return result;
  }

  static std::unique_ptr<history_writer> keep(const chaos_options& options,
                                              const history_head& head) {
    if (options.keep.empty())
      return nullptr;
    auto made = history_writer::create(options.keep, head);
    if (auto* why = std::get_if<std::string>(&made))
      throw run_error{*why};
    return std::move(std::get<0>(made));
  }

  std::unique_ptr<embedded_server> start_server() {
    embedded_server_config config;
    config.program = options_.rest.server;
    config.state_directory = directory_.path() + "/server";
    config.shards = world_.config().shards;
    config.store_bytes_max = store_bytes_max;
    std::filesystem::create_directories(config.state_directory);
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
        = {"node.name=chaos",
           "cluster.shards=" + std::to_string(world_.config().shards),
           "nats.stream-bytes-max=512MiB", "nats.retention=2min",
           "nats.duplicate-window=1min"};
    result.settings.insert(result.settings.end(),
                           options_.rest.node_settings.begin(),
                           options_.rest.node_settings.end());
    return result;
  }

  // -- phases ----------------------------------------------------------------

  void start() {
    line("starting");
    if (auto why = node_.start())
      throw run_error{*why};
    if (!node_.wait_ready(start_timeout))
      throw run_error{"the node does not get ready:\n" + node_.last_words()};
    if (options_.what.needs_admin_api())
      if (auto why = find_admin_api(node_, options_.what))
        throw run_error{*why};
    notes_.note(node_changed{true});
    for (instance_number i = 0; i < world_.config().instances; ++i)
      instances_.emplace_back(world_, notes_, server_->url(), i).start();
    for (auto& x : instances_)
      if (!x.wait_registered(start_timeout))
        throw run_error{"an instance is not registered:\n"
                        + node_.last_words()};
    line("bringing users online");
    if (!load_.wait_up(start_timeout) || !load_.fill(fill_timeout))
      throw run_error{"the users do not come online"};
  }

  void break_things() {
    breakables targets{node_,        *server_,   server_returns_,
                       proxy_.get(), instances_, load_};
    breaker breaks{options_.what, targets, notes_, stop_};
    auto schedule
        = make_schedule(options_.what, options_.rest.seed, options_.length);
    load_.begin();
    auto begin = steady::now();
    size_t done = 0;
    while (!stop_ && steady::now() - begin < options_.length) {
      auto elapsed = steady::now() - begin;
      if (done < schedule.size() && elapsed >= schedule[done].at) {
        auto& fault = schedule[done++];
        doing_ = to_string(options_.what.faults[fault.fault].what);
        show(begin, true);
        breaks.carry_out(fault);
      }
      breaks.watch();
      show(begin, false);
      std::this_thread::sleep_for(poll_interval);
    }
    if (done < schedule.size())
      remark_ = std::to_string(schedule.size() - done) + " of "
                + std::to_string(schedule.size())
                + " planned faults were not reached";
    load_.end();
  }

  /// Waits until everything has come that can come.
  void settle() {
    doing_ = "settling";
    auto begin = steady::now();
    while (!load_.is_quiet() || notes_.look().lag > 0) {
      if (steady::now() - begin > settle_timeout) {
        remark_ += (remark_.empty() ? "" : "; ") + std::string{"at the end "}
                   + load_.what_is_open();
        break;
      }
      show(begin, false);
      std::this_thread::sleep_for(poll_interval);
    }
    // Time for what nobody may get any more.
    std::this_thread::sleep_for(500ms);
  }

  void ask() {
    using enum counter_read::kind;
    for (user_number i = 0; i < std::min(users_asked, options_.rest.users); ++i)
      load_.ask_for(i);
    auto answer = node_.api().get("/debug/routing-stats", 10s);
    auto stats = answer ? json::parse(answer->body) : std::nullopt;
    if (!stats || !load_.is_quiet())
      return;
    auto count = [&](counter_read::kind what, std::string_view key) {
      auto value = static_cast<uint64_t>(stats->int_or(key, 0));
      notes_.note(counter_read{what, value, true});
    };
    count(users, "TotalUsers");
    count(sessions, "Sessions");
  }

  // -- live view -------------------------------------------------------------

  void show(time_point begin, bool at_once) {
    auto now = steady::now();
    if (!at_once && now - shown_at_ < line_interval)
      return;
    shown_at_ = now;
    auto seen = notes_.look();
    char text[160];
    std::snprintf(text, sizeof text,
                  "%5.0f s  published %llu  delivered %llu  lag %llu  "
                  "violations %llu  %s",
                  std::chrono::duration<double>(now - begin).count(),
                  static_cast<unsigned long long>(seen.published),
                  static_cast<unsigned long long>(seen.deliveries),
                  static_cast<unsigned long long>(seen.lag),
                  static_cast<unsigned long long>(seen.violations),
                  doing_.c_str());
    line(text);
  }

  /// One line that is written over on a terminal, a new one anywhere else.
  void line(const std::string& text) const {
    if (::isatty(STDERR_FILENO))
      std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
    else if (!text.empty())
      std::fprintf(stderr, "%s\n", text.c_str());
  }

  const run_options& options_;
  const std::atomic<bool>& stop_;
  world world_;
  history_head head_;
  double decided_min_ = 0;
  std::string doing_;
  std::string remark_;
  time_point shown_at_{};
  scratch_directory directory_;
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
  } catch (const run_error& error) {
    return std::string{error.what()};
  }
}

} // namespace fantail::chaos
