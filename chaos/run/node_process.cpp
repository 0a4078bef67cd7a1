// SPDX-License-Identifier: MIT
#include "chaos/run/node_process.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

namespace fantail::chaos {

namespace {

using namespace std::chrono_literals;

constexpr auto ask_timeout = 2s;
constexpr auto stop_patience = 10s;
constexpr auto poll_interval = 20ms;
constexpr size_t last_words_bytes = 2000;

} // namespace

node_process::node_process(node_options options)
    : options_(std::move(options)), port_(admin_client::free_port()),
      api_(port_) {
  // nop
}

std::optional<std::string> node_process::start() {
  std::vector<std::string> arguments{options_.program, "node"};
  std::vector<std::string> settings{
      "node.state-directory=" + options_.directory + "/node",
      "nats.url=" + options_.nats_url, "http.port=" + std::to_string(port_)};
  settings.insert(settings.end(), options_.settings.begin(),
                  options_.settings.end());
  for (auto& x : settings)
    arguments.insert(arguments.end(), {"--set", x});
  return process_.start(arguments, log_path(), -1);
}

bool node_process::is_ready() const {
  auto answer = api_.get("/ready", ask_timeout);
  return answer && answer->status == 200;
}

bool node_process::wait_ready(duration timeout) {
  auto until = std::chrono::steady_clock::now() + timeout;
  while (!is_ready()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::sleep_for(poll_interval);
  }
  return true;
}

void node_process::kill() {
  process_.signal(SIGKILL);
  while (process_.is_running() && !process_.take_end())
    std::this_thread::sleep_for(1ms);
}

void node_process::stop() {
  process_.stop(stop_patience);
}

std::optional<double> node_process::metric(const std::string& series) const {
  auto answer = api_.get("/metrics", ask_timeout);
  if (!answer)
    return std::nullopt;
  auto text = "\n" + answer->body;
  auto at = text.find("\n" + series + " ");
  if (at == text.npos)
    return std::nullopt;
  double result = 0;
  auto begin = text.data() + at + series.size() + 2;
  if (std::from_chars(begin, text.data() + text.size(), result).ec
      != std::errc{})
    return std::nullopt;
  return result;
}

std::string node_process::last_words() const {
  std::ifstream file{log_path()};
  std::stringstream text;
  text << file.rdbuf();
  auto all = text.str();
  return all.substr(all.size() - std::min(all.size(), last_words_bytes));
}

} // namespace fantail::chaos
