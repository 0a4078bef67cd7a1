// SPDX-License-Identifier: MIT
#include "api/event_stream.hpp"

#include "core/limits.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

constexpr auto silence_max = 5s;
/// As much as is read of the log at once.
constexpr size_t events_per_part = 64;

std::string_view to_string(report_port::severity x) {
  constexpr std::string_view names[]{"debug", "info", "warning", "error"};
  return names[static_cast<size_t>(x)];
}

} // namespace

std::shared_ptr<void> viewer_count::enter() {
  if (count_->fetch_add(1) >= limits::stream_viewers_max) {
    count_->fetch_sub(1);
    return nullptr;
  }
  return {count_.get(), [count = count_](void*) {
            count->fetch_sub(1);
          }};
}

std::string sse_of(uint64_t id, std::string_view kind,
                   const json::object& data) {
  std::string result = "id: " + std::to_string(id) + "\nevent: ";
  result.append(kind).append("\ndata: ").append(json::serialize(data));
  return result + "\n\n";
}

json::object to_json(const node_event& x) {
  json::object fields;
  for (auto& [key, value] : x.fields)
    fields[key] = value;
  return {{"id", x.id},
          {"at_unix_ns", x.at_unix_ns},
          {"kind", x.kind},
          {"severity", to_string(x.severity)},
          {"actor", x.actor.empty() ? json::value{} : json::value{x.actor}},
          {"detail", x.detail},
          {"fields", std::move(fields)}};
}

http_stream stream_events(const event_log& log, const clock_port& clock,
                          event_wish wish, std::shared_ptr<void> seat) {
  // A viewer of an earlier life of the node gets what this one remembers.
  if (wish.since > log.newest())
    wish.since = 0;
  auto spoken_at = clock.now();
  return [&log, &clock, wish = std::move(wish), seat = std::move(seat),
          spoken_at]() mutable -> std::optional<std::string> {
    auto now = clock.now();
    if (wish.until && now >= *wish.until)
      return std::nullopt;
    std::string result;
    for (auto& x : log.since(wish.since, events_per_part)) {
      wish.since = x.id;
      if (wish.kinds.empty() || wish.kinds.contains(x.kind))
        result += sse_of(x.id, x.kind, to_json(x));
    }
    if (result.empty() && now - spoken_at >= silence_max)
      result = ": nothing happened\n\n";
    if (!result.empty())
      spoken_at = now;
    return result;
  };
}

} // namespace fantail
