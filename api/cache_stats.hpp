// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"
#include "core/telemetry.hpp"

namespace fantail {

/// The cache of offline users' rows in the tables, and the members stores
/// behind it, summed over the presence shards; at most a second old.
json::value cache_stats(const telemetry::node& counts);

} // namespace fantail
