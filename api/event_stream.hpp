// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/inspection/event_log.hpp"
#include "core/json.hpp"
#include "runtime/http/http_message.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace fantail {

/// Counts viewers, so that their number is bounded. Thread safe.
class viewer_count {
public:
  /// A place, given back when the last copy is gone; null if there is none.
  std::shared_ptr<void> enter();

private:
  std::shared_ptr<std::atomic<size_t>> count_
      = std::make_shared<std::atomic<size_t>>(0);
};

/// What one viewer of the events wants.
struct event_wish {
  /// Begin behind this one.
  uint64_t since = 0;
  /// Empty: all kinds.
  std::set<std::string, std::less<>> kinds;
  std::optional<time_point> until;
};

/// Server-sent events, and a comment every five seconds to show that the stream
/// lives. `log` and `clock` outlive it; `seat` is the viewer's place.
http_stream stream_events(const event_log& log, const clock_port& clock,
                          event_wish wish, std::shared_ptr<void> seat);

/// One server-sent event.
std::string sse_of(uint64_t id, std::string_view kind,
                   const json::object& data);

/// Schema Event of api/openapi.json.
json::object to_json(const node_event& x);

} // namespace fantail
