// SPDX-License-Identifier: MIT
#pragma once

#include "api/actor_views.hpp"
#include "api/admin_view.hpp"
#include "core/json.hpp"

namespace fantail {

/// Schema ShardList of api/openapi.json, from counters that actors publish once
/// per second; nobody is asked.
json::object shard_list(const admin_view& view, const actor_views& actors);

/// Schema InstanceList. REQUIRES: `seen.wait` returned true.
json::object instance_list(const admin_view& view, const actor_views& actors,
                           const inspection& seen);

/// What an outbox's egress knows of it, for the schema OutboxState; `out` has
/// what the outbox itself said. Nothing if no egress knows the instance.
void add_delivery(const inspection& seen, json::object& out);

/// Such as `live`; `seen` tells who is dead.
std::string_view delivery_state_of(const inspection::instance_view& x,
                                   const inspection& seen);

} // namespace fantail
