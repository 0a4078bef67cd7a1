// SPDX-License-Identifier: MIT
#include "api/trace_stream.hpp"

#include "api/event_stream.hpp"
#include "messages/wall_clock.hpp"

#include <utility>

namespace fantail {

json::object to_json(const trace_step& x, uint64_t id, int64_t unix_offset_ns) {
  return {{"id", id},
          {"at_unix_ns", x.at_ns + unix_offset_ns},
          {"channel", x.is_presence ? "" : x.name},
          {"user", x.is_presence ? x.name : ""},
          {"sequence", x.at.value},
          {"shard", x.shard},
          {"hop", to_string(x.hop)},
          {"actor", x.actor},
          {"since_pulled_ns", x.since_pulled_ns},
          {"detail", x.detail}};
}

http_stream stream_trace(std::shared_ptr<trace_log::trace> what,
                         const clock_port& clock, time_point until,
                         std::shared_ptr<void> seat) {
  return [what = std::move(what), &clock, until, seat = std::move(seat),
          id = uint64_t{0},
          has_ended = false]() mutable -> std::optional<std::string> {
    if (has_ended)
      return std::nullopt;
    auto now = clock.now();
    auto offset = unix_now_ns() - to_ns(now);
    std::string result;
    for (auto& x : what->take()) {
      ++id;
      result += sse_of(id, "hop", to_json(x, id, offset));
    }
    auto is_over = now >= until;
    if (!is_over && !what->is_done())
      return result;
    has_ended = true;
    auto* why = is_over ? "the time is over" : "all that was wanted has come";
    return result + sse_of(++id, "end", json::object{{"reason", why}});
  };
}

} // namespace fantail
