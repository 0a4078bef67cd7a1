// SPDX-License-Identifier: MIT
#include "bench/contender.hpp"

#include "bench/http_get.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto stop_patience = 20s;
constexpr auto poll_interval = 20ms;
constexpr auto http_timeout = 5s;
constexpr auto window_timeout = 10s;
constexpr size_t log_tail_bytes = 1'500;

std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// A program, its log, and what is common to both sides.
template <class Interface>
class child_program : public Interface {
public:
  child_program(test_bed& bed, std::string program, std::string log_path)
      : bed_(bed), program_(std::move(program)),
        log_path_(std::move(log_path)) {}

  std::optional<pid_t> pid() const override { return process_.pid(); }

protected:
  void start(std::vector<std::string> arguments) {
    std::remove(log_path_.c_str());
    arguments.insert(arguments.begin(), program_);
    if (auto why = process_.start(arguments, log_path_, -1))
      throw bench_error{*why};
  }

  void check_runs() {
    if (auto end = process_.take_end())
      fail(*end);
    if (!process_.is_running())
      fail("is not running");
  }

  [[noreturn]] void fail(const std::string& what) {
    auto log = read_file(log_path_);
    auto tail = log.substr(log.size() - std::min(log.size(), log_tail_bytes));
    throw bench_error{"the " + std::string{this->name()} + " " + what + "\n"
                      + tail};
  }

  template <class Predicate>
  void wait_until(duration timeout, const char* what, Predicate is_done) {
    auto deadline = steady::now() + timeout;
    while (!is_done()) {
      bed_.check_stop();
      check_runs();
      if (steady::now() > deadline)
        fail(what);
      std::this_thread::sleep_for(poll_interval);
    }
  }

  test_bed& bed_;
  std::string program_;
  std::string log_path_;
  server_process process_;
};

class floor_child : public child_program<floor_contender> {
public:
  floor_child(test_bed& bed, std::string program, floor_options options)
      : child_program(bed, std::move(program), bed.directory() + "/floor.log"),
        options_(std::move(options)) {
    options_.url = bed.url();
  }

  ~floor_child() override { process_.stop(stop_patience); }

  std::string_view name() const override { return "floor"; }

  void launch(const std::vector<uint64_t>& positions) override {
    options_.consumer = "FLOOR" + std::to_string(++life_);
    bed_.create_consumers(options_.consumer, positions);
    std::vector<std::string> arguments{"bench", "floor"};
    for (auto& word : to_words(options_))
      arguments.push_back(word);
    start(std::move(arguments));
  }

  void wait_ready(duration timeout) override {
    wait_until(timeout, "does not get ready", [this] {
      return read_file(log_path_).find("\"ready\"") != std::string::npos;
    });
  }

  void begin_window() override { counts(); }

  latency_summary latency() override {
    auto window = counts();
    auto* total = window.find("total");
    if (!total)
      fail("did not tell its latency");
    return latency_from_json(*total);
  }

  json::value counts() override {
    auto begin = read_file(log_path_).size();
    check_runs();
    // Not to its group as well: a second signal would end a second window.
    if (auto process = process_.pid())
      ::kill(*process, SIGUSR1);
    std::optional<json::value> result;
    wait_until(window_timeout, "does not tell what it counted", [&] {
      auto line = read_file(log_path_).substr(begin);
      return line.ends_with('\n') && (result = json::parse(line));
    });
    return std::move(*result);
  }

  void stop() override {
    process_.stop(stop_patience);
    bed_.delete_consumers(options_.consumer);
  }

private:
  floor_options options_;
  uint64_t life_ = 0;
};

class node_child : public child_program<node_contender> {
public:
  node_child(test_bed& bed, std::string program,
             std::vector<std::string> settings)
      : child_program(bed, std::move(program), bed.directory() + "/node.log"),
        settings_(std::move(settings)), port_(free_port()) {}

  ~node_child() override { process_.stop(stop_patience); }

  std::string_view name() const override { return "fantail"; }

  void launch(const std::vector<uint64_t>&) override {
    auto& shape = bed_.options();
    std::vector<std::string> settings{
        "node.name=bench",
        "node.state-directory=" + bed_.directory() + "/node",
        "cluster.shards=" + std::to_string(shape.shards),
        "cluster.presence-shards=" + std::to_string(shape.presence_shards),
        "nats.url=" + bed_.url(),
        "nats.storage=" + std::string{to_string(shape.storage)},
        "nats.stream-bytes-max=512MiB",
        "http.port=" + std::to_string(port_)};
    settings.insert(settings.end(), settings_.begin(), settings_.end());
    std::vector<std::string> arguments{"node"};
    for (auto& x : settings) {
      arguments.push_back("--set");
      arguments.push_back(x);
    }
    start(std::move(arguments));
  }

  void wait_ready(duration timeout) override {
    wait_until(timeout, "does not get ready", [this] {
      auto answer = http_get(port_, "/ready", http_timeout);
      return answer && answer->status == 200;
    });
  }

  void begin_window() override { ask("/debug/latency?reset"); }

  latency_summary latency() override {
    auto answer = ask("/debug/latency");
    auto* total = answer.find("total");
    if (!total)
      fail("does not tell its latency");
    return latency_from_json(*total);
  }

  void stop() override { process_.stop(stop_patience); }

  json::value ask(const std::string& target) override {
    check_runs();
    auto answer = http_get(port_, target, http_timeout);
    auto body = answer && answer->status == 200 ? json::parse(answer->body)
                                                : std::nullopt;
    if (!body)
      fail("does not answer GET " + target);
    return std::move(*body);
  }

  std::vector<std::string> settings_;
  uint16_t port_;
};

} // namespace

std::unique_ptr<floor_contender> make_floor(test_bed& bed, std::string program,
                                            floor_options options) {
  return std::make_unique<floor_child>(bed, std::move(program),
                                       std::move(options));
}

std::unique_ptr<node_contender> make_node(test_bed& bed, std::string program,
                                          std::vector<std::string> settings) {
  return std::make_unique<node_child>(bed, std::move(program),
                                      std::move(settings));
}

} // namespace fantail::bench
