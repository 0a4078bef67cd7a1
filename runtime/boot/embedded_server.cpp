// SPDX-License-Identifier: MIT
#include "runtime/boot/embedded_server.hpp"

#include "runtime/boot/server_probe.hpp"
#include "runtime/boot/server_process.hpp"
#include "runtime/boot/server_settings.hpp"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>

namespace fantail {

namespace {

using failure = std::optional<std::string>;

time_point now() {
  return std::chrono::steady_clock::now();
}

// Less than this cannot hold even the streams of a small cluster.
constexpr uint64_t store_bytes_min = 64ull << 20;

constexpr off_t log_bytes_max = 8 << 20;

// A server that was killed needs a moment to die and to let go of its lock.
constexpr duration predecessor_patience = 5s;

/// How often the thread looks whether the server still runs.
constexpr duration look_interval = 50ms;

/// The last line of the server's log, where it says why it ended.
std::string last_words(const std::string& log_path) {
  auto text = file_tail(log_path, 4096);
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  auto line = text.substr(text.rfind('\n') + 1);
  return line.empty() ? "" : "; its last words: " + line;
}

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t result = 0;
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), result);
  return parsed.ec == std::errc{} && result != 0 ? std::optional{result}
                                                 : std::nullopt;
}

} // namespace

/// What only the supervising thread touches.
struct embedded_server::supervisor {
  embedded_server& owner;
  std::string program;
  server_process process;
  server_probe probe;

  std::string log_path() const { return owner.directory() + "/server.log"; }

  /// Waits for `pause`; false if the owner wants to stop.
  bool sleep(duration pause) {
    std::unique_lock guard{owner.mutex_};
    return !owner.changed_.wait_for(guard, pause,
                                    [&] { return owner.is_stopping_; });
  }

  bool is_stopping() {
    std::lock_guard guard{owner.mutex_};
    return owner.is_stopping_;
  }

  void publish(bool is_up) {
    std::lock_guard guard{owner.mutex_};
    owner.is_up_ = is_up;
    owner.pid_ = process.pid();
    owner.version_ = probe.greeting().version;
    owner.changed_.notify_all();
  }

  void limit_log() const {
    struct stat facts;
    auto path = log_path();
    if (stat(path.c_str(), &facts) == 0 && facts.st_size > log_bytes_max)
      rename(path.c_str(), (path + ".1").c_str());
  }

  /// One attempt to start the server and to get an answer.
  failure launch() {
    probe.disconnect();
    limit_log();
    // The server holds this lock for as long as it lives, so that no two of
    // them ever work on the same data, whatever became of their nodes.
    file_lock lock;
    if (auto why
        = lock.take(owner.directory() + "/server.lock", predecessor_patience))
      return *why == lock_is_held
                 ? "an earlier server still uses " + owner.directory()
                 : *why;
    auto settings = owner.directory() + "/nats.conf";
    if (auto why
        = process.start({program, "-c", settings}, log_path(), lock.file()))
      return why;
    publish(false);
    return wait_for_answer();
  }

  failure wait_for_answer() {
    auto deadline = now() + owner.config_.start_timeout;
    failure silent = "it was not asked";
    while (sleep(look_interval)) {
      if (auto end = process.take_end())
        return program + " " + *end + last_words(log_path());
      silent = probe.check(owner.config_.port, owner.config_.probe_timeout);
      // Until JetStream is ready, the server refuses connections.
      if (!silent)
        return check_greeting();
      if (now() > deadline) {
        process.stop(0s);
        return program + " did not answer in time (" + *silent + ")"
               + last_words(log_path());
      }
    }
    return "it was stopped while it started";
  }

  failure check_greeting() {
    auto& greeting = probe.greeting();
    failure why;
    if (greeting.name != owner.name_)
      why = "another server has taken port "
            + std::to_string(owner.config_.port);
    else if (!is_supported_server(greeting.version))
      why = program + " is version " + greeting.version
            + ", which is too old: 2.9.10 or newer is needed";
    else if (!greeting.has_jetstream)
      why = program + " runs without JetStream" + last_words(log_path());
    if (why)
      process.stop(owner.config_.stop_patience);
    return why;
  }

  /// Watches a server that answers, until it ends or falls silent; returns
  /// why, or nothing if the owner wants to stop.
  failure watch() {
    auto last_answer = now();
    auto next_probe = last_answer + owner.config_.probe_interval;
    auto silent_probes = 0;
    while (sleep(look_interval)) {
      if (auto end = process.take_end())
        return *end + last_words(log_path());
      if (now() < next_probe)
        continue;
      auto why = probe.check(owner.config_.port, owner.config_.probe_timeout);
      next_probe = now() + owner.config_.probe_interval;
      if (!why) {
        last_answer = now();
        silent_probes = 0;
        continue;
      }
      // After a pause of the whole machine one probe fails, and nobody's to
      // blame: time alone does not condemn a server.
      if (++silent_probes < 2
          || now() - last_answer < owner.config_.silence_max)
        continue;
      process.signal(SIGKILL);
      process.stop(0s);
      return "fell silent and was killed: " + *why;
    }
    return std::nullopt;
  }

  /// Starts the server again until it answers; false if the owner wants to
  /// stop.
  bool recover() {
    auto pause = owner.config_.restart_pause_min;
    while (sleep(pause)) {
      auto why = launch();
      if (!why)
        return true;
      process.stop(0s);
      pause = std::min(2 * pause, owner.config_.restart_pause_max);
      if (owner.on_.on_retry && !is_stopping())
        owner.on_.on_retry(*why);
    }
    return false;
  }

  failure start_first() {
    constexpr int attempts_max = 3;
    for (int attempt = 1;; ++attempt) {
      if (auto why = owner.write_settings())
        return why;
      auto why = launch();
      if (!why)
        return std::nullopt;
      process.stop(0s);
      // Somebody may have taken the port between our choice and the start.
      auto is_moved = owner.may_move_ && !is_free_port(owner.config_.port);
      auto other = is_moved ? choose_port(0) : std::nullopt;
      if (!other || attempt == attempts_max)
        return why;
      owner.config_.port = *other;
    }
  }

  void run() {
    pthread_setname_np(pthread_self(), "nats-keeper");
    auto outcome = start_first();
    publish(!outcome);
    {
      std::lock_guard guard{owner.mutex_};
      owner.first_outcome_ = outcome.value_or("");
      owner.changed_.notify_all();
    }
    while (!outcome) {
      auto down = watch();
      if (!down)
        break;
      auto down_since = now();
      publish(false);
      if (owner.on_.on_down)
        owner.on_.on_down(*down);
      if (!recover())
        break;
      {
        std::lock_guard guard{owner.mutex_};
        ++owner.restarts_;
      }
      publish(true);
      if (owner.on_.on_up)
        owner.on_.on_up(now() - down_since);
    }
    process.stop(owner.config_.stop_patience);
    publish(false);
  }
};

std::variant<std::unique_ptr<embedded_server>, std::string>
embedded_server::start(embedded_server_config config,
                       embedded_server_handlers on) {
  auto result = std::unique_ptr<embedded_server>{
      new embedded_server(std::move(config))};
  result->on_ = std::move(on);
  auto program = find_program(result->config_.program);
  if (!program)
    return "there is no program \"" + result->config_.program
           + "\" in PATH or /usr/sbin: install the package nats-server, set "
             "the key nats.server to its path, or nats.url to a server of "
             "your own";
  if (auto why = result->prepare())
    return *why;
  // The supervisor is the thread's own: its child dies with the thread.
  result->thread_ = std::thread{[self = result.get(), path = *program] {
    supervisor{*self, path, {}, {}}.run();
  }};
  std::unique_lock guard{result->mutex_};
  result->changed_.wait(guard,
                        [&] { return result->first_outcome_.has_value(); });
  auto outcome = *result->first_outcome_;
  guard.unlock();
  if (!outcome.empty())
    return outcome;
  return result;
}

embedded_server::embedded_server(embedded_server_config config)
    : config_(std::move(config)), name_("fantail-" + std::to_string(getpid())
                                        + "-" + std::to_string(to_ns(now()))) {}

embedded_server::~embedded_server() {
  stop();
}

void embedded_server::stop() {
  {
    std::lock_guard guard{mutex_};
    is_stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
  lock_.release();
}

std::string embedded_server::url() const {
  return "nats://127.0.0.1:" + std::to_string(config_.port);
}

std::string embedded_server::version() const {
  std::lock_guard guard{mutex_};
  return version_;
}

std::optional<pid_t> embedded_server::pid() const {
  std::lock_guard guard{mutex_};
  return pid_;
}

bool embedded_server::is_up() const {
  std::lock_guard guard{mutex_};
  return is_up_;
}

uint64_t embedded_server::restarts() const {
  std::lock_guard guard{mutex_};
  return restarts_;
}

std::string embedded_server::directory() const {
  return config_.state_directory + "/nats";
}

failure embedded_server::prepare() {
  std::error_code problem;
  auto absolute = std::filesystem::absolute(config_.state_directory, problem);
  if (problem)
    return config_.state_directory + ": " + problem.message();
  config_.state_directory = absolute.lexically_normal().string();
  auto hint = " (set by the key node.state-directory)";
  if (auto why = make_directory(directory()))
    return *why + hint;
  if (auto why = lock_.take(config_.state_directory + "/lock", 0s))
    return (*why == lock_is_held
                ? "another node uses " + config_.state_directory
                : *why)
           + hint;
  store_bytes_ = store_budget(directory(), config_.store_bytes_max);
  memory_bytes_ = memory_budget(config_.store_bytes_max);
  if (store_bytes_ < store_bytes_min)
    return "the disk of " + config_.state_directory
           + " is full: streams need at least "
           + std::to_string(store_bytes_min >> 20) + " MiB, and only "
           + std::to_string(store_bytes_ >> 20) + " MiB may be taken" + hint;
  may_move_ = config_.port == 0;
  auto wanted = may_move_ ? parse_port(file_tail(directory() + "/port", 5))
                          : std::nullopt;
  if (!may_move_ && !is_free_port(config_.port))
    return "port " + std::to_string(config_.port)
           + " is taken (set by the key nats.port; 0 chooses a free one)";
  if (may_move_) {
    auto port = choose_port(wanted.value_or(0));
    if (!port)
      return "no port of 127.0.0.1 is free";
    config_.port = *port;
  }
  return std::nullopt;
}

failure embedded_server::write_settings() {
  server_settings settings;
  settings.name = name_;
  settings.store_directory = directory() + "/data";
  settings.port = config_.port;
  settings.shards = config_.shards;
  settings.presence_shards = config_.presence_shards;
  settings.store_bytes = store_bytes_;
  settings.memory_bytes = memory_bytes_;
  if (auto why = write_file(directory() + "/nats.conf", render(settings)))
    return why;
  return write_file(directory() + "/port", std::to_string(config_.port));
}

} // namespace fantail
