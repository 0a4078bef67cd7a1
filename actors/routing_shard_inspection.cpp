// SPDX-License-Identifier: MIT
// What a routing shard tells operators.
#include "actors/routing_shard.hpp"
#include "messages/inspection.hpp"

namespace fantail {

void routing_shard_state::on_inspect(const inspect_node& x) {
  inspection::shard_view view;
  view.shard = deps.shard;
  view.epoch = owner;
  view.routed_to = settling->opened_to();
  view.settled_to = settling->settled();
  view.digest = router->digest();
  view.departures = router->recent_departures().size();
  view.table = router->statistics(x.into->top());
  x.into->add(std::move(view));
}

void routing_shard_state::on_inspect_routes(const inspect_routes& x) const {
  std::map<std::string, channel_route> result;
  for (auto& channel : x.into->channels())
    if (auto route = router->route_of(channel); route.known)
      result.emplace(channel, std::move(route));
  x.into->add(std::move(result));
}

void routing_shard_state::on_inspect_channels(const inspect_channels& x) {
  auto now = deps.env.clock->now();
  auto& table = router->table();
  x.into->add({deps.shard, rank_channels(table, hot, x.order, x.top, now),
               table.channels().size(), hot.cost_per_second(now)});
}

void routing_shard_state::on_explain(const explain_route& x) const {
  route_explanation result;
  result.route = router->route_of(x.channel);
  result.table_version = router->counters().deltas;
  result.routed_to = settling->opened_to();
  for (uint16_t i = 0; i < deps.presence_shards; ++i)
    result.presence.push_back(router->log_of(presence_shard_id{i}).up_to);
  x.into->add(std::move(result));
}

void routing_shard_state::describe(json::object& out) const {
  auto& table = router->table();
  out["kind"] = "routing-shard";
  out["shard"] = deps.shard.value;
  out["epoch"] = owner.value;
  out["channels"] = uint64_t{table.channels().size()};
  out["users"] = uint64_t{table.users().users_online()};
  out["memberships"] = uint64_t{table.users().memberships()};
  out["bytes"] = uint64_t{table_bytes()};
  out["sequence"] = settling->opened_to().value;
  out["settled_sequence"] = settling->settled().value;
  out["lag"]
      = pending + settling->opened_to().value - settling->settled().value;
  out["departures"] = uint64_t{router->recent_departures().size()};
  out["unsettled_bytes"] = uint64_t{settling->unsettled_bytes()};
  out["table_version"] = router->counters().deltas;
}

} // namespace fantail
