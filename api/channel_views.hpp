// SPDX-License-Identifier: MIT
#pragma once

#include "api/admin_view.hpp"
#include "core/json.hpp"

#include <string>
#include <vector>

namespace fantail {

/// Schema ChannelList of api/openapi.json: the first `limit` of all shards.
json::object channel_list(const std::vector<shard_ranking>& shards,
                          channel_order order, size_t limit,
                          int64_t unix_now_ns);

/// Schema Route. `seen` says how deliveries to the instances stand.
json::object route_report(const admin_view& view, const std::string& channel,
                          const route_explanation& x, const inspection& seen);

/// Schema User.
json::object user_report(const admin_view& view, const std::string& user,
                         const user_explanation& x);

} // namespace fantail
