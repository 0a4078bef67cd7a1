// SPDX-License-Identifier: MIT
#include "app/streams.hpp"
#include "core/subject.hpp"

namespace fantail {

namespace {

/// The first token of `subject`, which is taken off it.
std::string_view take_token(std::string_view& subject) {
  auto dot = subject.find('.');
  auto result = subject.substr(0, dot);
  subject.remove_prefix(dot == subject.npos ? subject.size() : dot + 1);
  return result;
}

/// Whether a stream with the subject `pattern` keeps everything of `subject`.
bool covers(std::string_view pattern, std::string_view subject) {
  while (!subject.empty()) {
    auto wanted = take_token(subject);
    auto has = take_token(pattern);
    if (has == ">")
      return true;
    if (has != "*" && has != wanted)
      return false;
  }
  return pattern.empty();
}

nats::stream_config own_stream(const node_config& config,
                               const std::string& name,
                               const std::string& subject) {
  nats::stream_config result;
  result.name = name == "chat" ? "FANTAIL_POOL_CHAT" : "FANTAIL_POOL_PRESENCE";
  result.subjects = {subject};
  result.in_memory = config.nats.storage == "memory" && name == "chat";
  result.bytes_max = static_cast<int64_t>(config.nats.stream_bytes_max);
  result.duplicate_window = config.nats.duplicate_window;
  return result;
}

std::string shown(const std::vector<nats::stream_facts>& streams) {
  std::string result;
  for (auto& x : streams)
    result += (result.empty() ? "" : ", ") + x.name;
  return result;
}

} // namespace

std::variant<std::optional<pool_source>, std::string>
choose_input(nats::connection& via, const node_config& config,
             const std::string& name, std::string_view prefix) {
  auto subject = std::string{prefix} + "*";
  auto is_auto = config.nats.input == "auto";
  if (config.nats.input == "mapped" || (is_auto && config.nats.url.empty()))
    return std::nullopt;
  auto found = nats::wait_for<std::vector<nats::stream_facts>>(
      [&](auto done) { nats::find_streams(via, subject, done); });
  if (auto* error = std::get_if<nats::api_error>(&found))
    return "the streams of " + subject + " cannot be listed: " + error->text;
  auto& streams = std::get<0>(found);
  pool_source result{name, prefix, own_stream(config, name, subject), true, {}};
  if (streams.empty()) {
    // Nobody keeps the subject, so the question reaches no stream but ours.
    if (is_auto && is_mapped(via, prefix))
      return std::nullopt;
    return result;
  }
  auto& one = streams.front();
  auto is_whole = streams.size() == 1
                  && std::any_of(one.subjects.begin(), one.subjects.end(),
                                 [&](auto& x) { return covers(x, subject); });
  if (!is_whole)
    return "the streams " + shown(streams) + " keep parts of " + subject
           + "; nats.input='pool' needs one stream that keeps all of it";
  if (one.retention != "limits")
    return "the stream " + one.name + " of " + subject + " has the retention '"
           + one.retention + "', so reading it would take events away from "
           + "others; it has to be 'limits'";
  if (one.name == result.stream.name)
    return result;
  result.is_own = false;
  result.stream = {};
  result.stream.name = one.name;
  if (one.subjects != std::vector<std::string>{subject})
    result.filter = subject;
  return result;
}

} // namespace fantail
