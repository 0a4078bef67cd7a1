// SPDX-License-Identifier: MIT
#include "chaos/run/node_process.hpp"

#include "core/json.hpp"
#include "runtime/boot/server_files.hpp"
#include "runtime/metrics/process_usage.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace fantail::chaos {

namespace {

using namespace std::chrono_literals;

constexpr auto node_answer_timeout = 2s;
constexpr auto stop_patience = 10s;
constexpr size_t last_words_bytes = 2000;

/// The value of a field in a line of the log: a word, or a text in quotes.
std::string field_of(std::string_view line, std::string_view name) {
  auto mark = " " + std::string{name} + "=";
  auto at = line.find(mark);
  if (at == line.npos)
    return {};
  auto rest = line.substr(at + mark.size());
  if (!rest.starts_with('"'))
    return std::string{rest.substr(0, rest.find(' '))};
  size_t end = 1;
  while (end < rest.size() && rest[end] != '"')
    end += rest[end] == '\\' ? 2 : 1;
  auto text = json::parse(rest.substr(0, end + 1));
  return text && text->if_string() ? *text->if_string() : std::string{};
}

uint64_t count_files(const std::string& directory) {
  std::error_code failure;
  std::filesystem::directory_iterator files{directory, failure};
  return failure
             ? 0
             : static_cast<uint64_t>(std::distance(begin(files), end(files)));
}

} // namespace

node_process::node_process(node_options options)
    : options_(std::move(options)), port_(admin_client::free_port()),
      api_(port_) {
  // nop
}

std::optional<std::string> node_process::start() {
  // The configuration of whoever runs this is none of our business.
  auto file = options_.directory + "/node.conf";
  if (auto why = write_file(file, "; Only what is said with --set counts.\n"))
    return why;
  std::vector<std::string> arguments{options_.program, "node", "-c", file};
  std::vector<std::string> settings{"node.state-directory=" + state_directory(),
                                    "nats.url=" + options_.nats_url,
                                    "http.port=" + std::to_string(port_)};
  settings.insert(settings.end(), options_.settings.begin(),
                  options_.settings.end());
  for (auto& x : settings)
    arguments.insert(arguments.end(), {"--set", x});
  return process_.start(arguments, log_path(), -1);
}

bool node_process::is_ready() const {
  auto answer = api_.get("/ready", node_answer_timeout);
  return answer && answer->status == 200;
}

void node_process::kill() {
  process_.signal(SIGKILL);
  while (process_.is_running() && !process_.take_end())
    std::this_thread::sleep_for(1ms);
}

void node_process::stop() {
  process_.stop(stop_patience);
}

const admin_client& node_process::api() {
  constexpr size_t token_bytes_max = 4096;
  auto token = file_tail(state_directory() + "/admin.token", token_bytes_max);
  while (!token.empty() && token.back() <= ' ')
    token.pop_back();
  api_.use_token(std::move(token));
  return api_;
}

std::vector<node_process::surrender> node_process::take_surrenders() {
  std::vector<surrender> result;
  std::ifstream file{log_path()};
  file.seekg(log_read_);
  std::string line;
  // What has no end yet is read again.
  while (std::getline(file, line) && !file.eof()) {
    log_read_ += static_cast<std::streamoff>(line.size()) + 1;
    if (line.find(" supervisor-gave-up ") != line.npos)
      result.push_back({field_of(line, "supervisor"), field_of(line, "cause")});
  }
  return result;
}

std::optional<usage_seen> node_process::usage() const {
  auto pid = process_.pid();
  if (!pid)
    return std::nullopt;
  auto process = "/proc/" + std::to_string(*pid);
  std::ifstream file{process + "/stat"};
  std::string line;
  std::getline(file, line);
  auto stat = parse_process_stat(line);
  auto page_bytes = ::sysconf(_SC_PAGESIZE);
  // One that has just ended has neither memory nor files.
  if (!stat || stat->resident_pages == 0)
    return std::nullopt;
  return usage_seen{stat->resident_pages * static_cast<uint64_t>(page_bytes),
                    count_files(process + "/fd")};
}

std::optional<uint64_t>
node_process::metric_sum(const std::string& name) const {
  auto answer = api_.get("/metrics", node_answer_timeout);
  if (!answer || answer->status != 200)
    return std::nullopt;
  double result = 0;
  std::string_view rest{answer->body};
  while (!rest.empty()) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    auto behind = line.substr(std::min(name.size(), line.size()));
    if (!line.starts_with(name)
        || (!behind.starts_with('{') && !behind.starts_with(' ')))
      continue;
    auto digits = line.substr(line.rfind(' ') + 1);
    double value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    result += value;
  }
  return static_cast<uint64_t>(result);
}

bool node_process::keep_log(const std::string& path) const {
  std::error_code problem;
  return std::filesystem::copy_file(
      log_path(), path, std::filesystem::copy_options::overwrite_existing,
      problem);
}

std::string node_process::last_words() const {
  return file_tail(log_path(), last_words_bytes);
}

} // namespace fantail::chaos
