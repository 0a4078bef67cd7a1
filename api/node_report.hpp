// SPDX-License-Identifier: MIT
#pragma once

#include "api/actor_views.hpp"
#include "api/admin_view.hpp"
#include "core/json.hpp"

namespace fantail {

/// Schema Node of api/openapi.json; nobody is asked.
json::object node_report(const admin_view& view, const actor_views& actors);

/// Schema DeadLetterList, with the `limit` newest letters.
json::object dead_letter_list(const admin_view& view, size_t limit,
                              int64_t unix_now_ns);

} // namespace fantail
