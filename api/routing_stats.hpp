// SPDX-License-Identifier: MIT
#pragma once

#include "core/instance_directory.hpp"
#include "core/json.hpp"
#include "core/telemetry.hpp"
#include "messages/inspection.hpp"

namespace fantail {

/// What the routing tables of a node hold, merged over its shards; the keys of
/// requirement A8 and some more. Pure: all comes from `x`, but for the lag of
/// each shard, which its actor publishes once per second in `counts`.
///
/// A channel belongs to one shard and a user to one presence shard, so sums
/// over them count nothing twice. A user may have sessions on several
/// instances; InstanceDistribution therefore counts sessions and says so.
/// REQUIRES: `x.wait` returned true.
json::value routing_stats(const inspection& x, const telemetry::node& counts,
                          const instance_directory& instances);

} // namespace fantail
