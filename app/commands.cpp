// SPDX-License-Identifier: MIT
#include "app/commands.hpp"

#include "app/node.hpp"
#include "core/json.hpp"
#include "runtime/boot/logging.hpp"
#include "runtime/boot/node_config.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

namespace fantail {

namespace {

std::atomic<bool> stop_flag = false;
static_assert(std::atomic<bool>::is_always_lock_free,
              "a signal handler may only touch lock-free atomics");

constexpr const char* default_file = "caf-application.conf";

/// Reads the configuration, or says on stderr what is wrong with it.
std::optional<node_config> read_config(const config_source& source) {
  auto file = source.file;
  if (file.empty() && std::filesystem::exists(default_file))
    file = default_file;
  auto loaded = load(file, source.overrides);
  if (auto* problems = std::get_if<1>(&loaded)) {
    for (auto& x : *problems)
      std::fprintf(stderr, "fantail: %s\n", to_string(x).c_str());
    return std::nullopt;
  }
  return std::get<node_config>(loaded);
}

void set_up_logging(const node_config& config) {
  configure_logging(
      parse_log_level(config.log.level).value_or(log_level::info),
      parse_log_format(config.log.format).value_or(log_format::text));
}

std::unique_ptr<node> start_node(const node_config& config, int& code) {
  auto started = node::start(config);
  if (auto* failure = std::get_if<start_failure>(&started)) {
    std::fprintf(stderr, "fantail: %s\n", failure->what.c_str());
    code = failure->exit_code;
    return nullptr;
  }
  return std::move(std::get<0>(started));
}

/// A directory that vanishes with the demo.
class scratch_directory {
public:
  scratch_directory() {
    auto pattern
        = (std::filesystem::temp_directory_path() / "fantail-demo-XXXXXX")
              .string();
    if (::mkdtemp(pattern.data()))
      path_ = pattern;
  }
  ~scratch_directory() {
    std::error_code ignored;
    if (!path_.empty())
      std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

} // namespace

const std::atomic<bool>& stop_requested() {
  return stop_flag;
}

void stop_on_signals() {
  for (auto signal : {SIGINT, SIGTERM})
    std::signal(signal, [](int) { stop_flag = true; });
  // A reader of our output that went away is no reason to die half-way.
  std::signal(SIGPIPE, SIG_IGN);
}

int command_node(const config_source& source) {
  auto config = read_config(source);
  if (!config)
    return exit_configuration;
  set_up_logging(*config);
  int code = exit_ok;
  auto running = start_node(*config, code);
  if (!running)
    return code;
  log_event(log_level::info, "node", "started",
            {{"nats", running->nats_url()}, {"http", running->http_url()}});
  auto is_fine = running->run_until(stop_flag);
  log_event(log_level::info, "node", "stopping");
  running.reset();
  log_event(log_level::info, "node", "stopped");
  return is_fine ? exit_ok : exit_failed;
}

int command_config_check(const config_source& source) {
  if (!read_config(source))
    return exit_configuration;
  std::printf("The configuration is good.\n");
  return exit_ok;
}

int command_config_show(const config_source& source, bool as_table) {
  auto config = read_config(source);
  if (!config)
    return exit_configuration;
  auto text = as_table ? render_table() : render(*config);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return exit_ok;
}

int command_version(bool as_json) {
  if (as_json)
    std::printf(
        "%s\n",
        json::serialize(json::object{{"fantail", FANTAIL_VERSION}}).c_str());
  else
    std::printf("fantail %s\n", FANTAIL_VERSION);
  return exit_ok;
}

int command_demo(demo_options options, const config_source& source,
                 bool is_own_node) {
  options.stop = &stop_flag;
  if (!is_own_node)
    return run_demo(options);
  scratch_directory state;
  auto own = source;
  own.overrides.insert(own.overrides.begin(),
                       {"node.state-directory=" + state.path(), "http.port=0",
                        "log.level=warn"});
  auto config = read_config(own);
  if (!config)
    return exit_configuration;
  set_up_logging(*config);
  int code = exit_ok;
  auto running = start_node(*config, code);
  if (!running)
    return code;
  while (!running->is_ready() && !stop_flag)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  options.nats_url = running->nats_url();
  options.http_url = running->http_url();
  return run_demo(options);
}

} // namespace fantail
