// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/inspection/trace_log.hpp"
#include "core/json.hpp"
#include "runtime/http/http_message.hpp"

#include <cstdint>
#include <memory>

namespace fantail {

/// Server-sent events, one per hop, until everything that was to be followed
/// has arrived or it is `until`; then an event `end`. `clock` outlives it;
/// `seat` is the viewer's place.
http_stream stream_trace(std::shared_ptr<trace_log::trace> what,
                         const clock_port& clock, time_point until,
                         std::shared_ptr<void> seat);

/// Schema Hop of api/openapi.json. `unix_offset_ns` makes wall clock of steady
/// time.
json::object to_json(const trace_step& x, uint64_t id, int64_t unix_offset_ns);

} // namespace fantail
