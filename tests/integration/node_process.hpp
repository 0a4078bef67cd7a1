// SPDX-License-Identifier: MIT
#pragma once

#include "bench/http_get.hpp"
#include "bench/test_bed.hpp"
#include "core/json.hpp"
#include "tests/paths.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fantail::test {

using namespace std::chrono_literals;

/// Generous, since it only decides how long a failure takes.
inline constexpr auto patience = 30s;

template <class Condition>
bool eventually(Condition holds, duration timeout = patience) {
  for (auto until = std::chrono::steady_clock::now() + timeout;
       std::chrono::steady_clock::now() < until;
       std::this_thread::sleep_for(5ms))
    if (holds())
      return true;
  return holds();
}

/// Signals one process. What is not one process is refused: kill(2) takes -1
/// for "everything on this machine".
inline bool signal_one(std::optional<pid_t> pid, int number) {
  return pid && *pid > 1 && ::kill(*pid, number) == 0;
}

inline std::string content_of(const std::string& path) {
  std::ifstream file{path};
  std::stringstream result;
  result << file.rdbuf();
  return result.str();
}

/// The built program as a child process with a state directory of its own,
/// which vanishes with it. Neither outlives the test: the kernel kills the
/// node with the thread that started it, and the node's server with the node.
class node_process {
public:
  /// `key=value` each, as for --set.
  using settings = std::vector<std::string>;

  explicit node_process(settings overrides = {})
      : overrides_(std::move(overrides)) {}
  ~node_process() { kill_node(); }
  node_process(const node_process&) = delete;
  node_process& operator=(const node_process&) = delete;

  const std::string& directory() const { return directory_.path(); }

  /// Runs the node, again after a stop or a kill.
  void start() {
    log_begin_ = log().size();
    std::vector<std::string> words{binary(), "node"};
    settings all{"node.state-directory=" + state_directory(), "http.port=0"};
    all.insert(all.end(), overrides_.begin(), overrides_.end());
    for (auto& x : all)
      words.insert(words.end(), {"--set", x});
    std::vector<char*> arguments;
    for (auto& x : words)
      arguments.push_back(x.data());
    arguments.push_back(nullptr);
    auto log_file = log_path();
    pid_ = ::fork();
    // A failed fork leaves -1, which every function here takes for "no node".
    if (pid_ != 0)
      return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The configuration of whoever runs the test is none of our business.
    if (::chdir(directory().c_str()) != 0)
      ::_exit(127);
    auto log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }

  /// True once the node does its work.
  bool wait_ready() {
    return eventually([this] {
      auto answer = get("/ready");
      return answer && answer->status == 200;
    });
  }

  /// The same for a node that is started now; shows its log if that fails.
  bool start_and_wait() {
    start();
    auto is_ready = wait_ready();
    if (!is_ready)
      std::cerr << log();
    return is_ready;
  }

  /// What the node answers to GET; nothing if nobody does.
  std::optional<bench::http_answer> get(const std::string& target) const {
    auto port = http_port();
    return port == 0 ? std::nullopt : bench::http_get(port, target, 10s);
  }

  /// The body of /debug/routing-stats.
  json::value stats() const {
    auto answer = get("/debug/routing-stats");
    auto parsed = answer ? json::parse(answer->body) : std::nullopt;
    return parsed.value_or(json::value{});
  }

  /// The value of one line of /metrics, 0 if there is none. `series` is the
  /// name with its labels.
  double metric(const std::string& series) const {
    auto answer = get("/metrics");
    auto text = answer ? "\n" + answer->body : std::string{};
    auto at = text.find("\n" + series + " ");
    return at == text.npos ? 0 : std::stod(text.substr(at + series.size() + 2));
  }

  /// Empty until the node said so.
  std::string nats_url() const { return word_behind("started nats="); }

  /// The node as a process: SIGKILL, and its server dies with it.
  void kill_node() {
    if (pid_ <= 0)
      return;
    auto server = server_pid();
    signal_one(pid_, SIGKILL);
    wait_end();
    if (server > 0)
      eventually([server] { return !is_alive(server); });
  }

  /// SIGKILL for the server alone.
  bool kill_server() { return signal_one(server_pid(), SIGKILL); }

  /// Asks the node to end; its exit code, or minus the signal it died of.
  int stop() {
    if (!signal_one(pid_, SIGINT))
      return -1;
    return wait_end();
  }

  /// Waits until the node ends of its own accord.
  int wait_end() {
    int status = 0;
    if (pid_ <= 1 || ::waitpid(pid_, &status, 0) != pid_)
      return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  bool is_running() const {
    return pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0;
  }

  /// Everything the node wrote, over all its lives.
  std::string log() const { return content_of(log_path()); }

  bool has_logged(const std::string& text) const {
    return log().find(text, log_begin_) != std::string::npos;
  }

  std::string state_directory() const { return directory() + "/state"; }

  /// 0 until the node said so.
  uint16_t http_port() const {
    auto url = word_behind("http=http://127.0.0.1:");
    return static_cast<uint16_t>(url.empty() ? 0 : std::stoi(url));
  }

private:
  std::string log_path() const { return directory() + "/log"; }

  std::string word_behind(const std::string& before) const {
    auto text = log();
    auto at = text.find(before, log_begin_);
    if (at == text.npos)
      return {};
    at += before.size();
    return text.substr(at, text.find_first_of(" \n", at) - at);
  }

  /// A zombie counts as dead.
  static bool is_alive(pid_t pid) {
    auto stat = content_of("/proc/" + std::to_string(pid) + "/stat");
    auto state = stat.rfind(") ");
    return state != stat.npos && stat[state + 2] != 'Z';
  }

  /// The server is the process whose command line names our settings.
  pid_t server_pid() const {
    auto settings = state_directory() + "/nats/nats.conf";
    std::error_code ignored;
    for (auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
      auto name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != name.npos)
        continue;
      if (content_of("/proc/" + name + "/cmdline").find(settings)
          != std::string::npos)
        return std::stoi(name);
    }
    return -1;
  }

  settings overrides_;
  bench::scratch_directory directory_{"fantail-test"};
  pid_t pid_ = -1;
  /// Where the log of this life begins.
  size_t log_begin_ = 0;
};

} // namespace fantail::test
