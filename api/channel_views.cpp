// SPDX-License-Identifier: MIT
#include "api/channel_views.hpp"

#include "api/shard_views.hpp"
#include "core/hash.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace fantail {

namespace {

std::string_view to_string(channel_order x) {
  constexpr std::string_view names[]{"members", "cost", "fanout"};
  return names[static_cast<size_t>(x)];
}

json::object stop_of(const admin_view& view, instance_index index,
                     uint32_t users, bool is_departing,
                     const inspection& seen) {
  auto group = index.value % view.counts->egress.size();
  json::object result{{"instance", view.instances->name_of(index)},
                      {"index", index.value},
                      {"users", users},
                      {"why", is_departing ? "departing" : "members_online"},
                      {"format", to_string(delivery_format::single)},
                      {"delivery_state", "live"},
                      {"egress", "delivery/egress-" + std::to_string(group)}};
  // One that never got anything is unknown to its egress.
  for (auto& x : seen.instances())
    if (x.index == index) {
      result["format"] = fantail::to_string(x.format);
      result["delivery_state"] = delivery_state_of(x, seen);
    }
  return result;
}

std::string instances(size_t count) {
  return std::to_string(count) + (count == 1 ? " instance" : " instances");
}

std::string explain(const std::string& channel, uint16_t shard,
                    const channel_route& x) {
  auto result
      = "\"" + channel + "\" is in shard " + std::to_string(shard) + ". ";
  if (!x.known)
    return result
           + "An event goes nowhere, because nobody who is online or "
             "remembered is a member.";
  uint64_t online = 0;
  for (auto& stop : x.stops)
    online += stop.users;
  if (x.stops.empty())
    result += "An event goes nowhere, because none of its "
              + std::to_string(x.members) + " members is online.";
  else
    result += "An event goes to " + instances(x.stops.size()) + ", because "
              + std::to_string(online) + " sessions of its "
              + std::to_string(x.members) + " members are online there.";
  if (!x.departing.empty())
    result += " Events stored before their last member left still go to "
              + instances(x.departing.size()) + ".";
  return result;
}

} // namespace

json::object channel_list(const std::vector<shard_ranking>& shards,
                          channel_order order, size_t limit,
                          int64_t unix_now_ns) {
  std::vector<std::pair<uint16_t, ranked_channel>> all;
  uint64_t total = 0;
  double cost = 0;
  for (auto& shard : shards) {
    total += shard.channels_total;
    cost += shard.cost_per_second;
    for (auto& x : shard.channels)
      all.emplace_back(shard.shard.value, x);
  }
  std::ranges::sort(all, [order](auto& a, auto& b) {
    return comes_before(a.second, b.second, order);
  });
  all.resize(std::min(limit, all.size()));
  json::array channels;
  for (auto& [shard, x] : all)
    channels.push_back(json::object{
        {"name", x.channel},
        {"shard", shard},
        {"members", x.members},
        {"fanout", x.fanout},
        {"events_per_second", x.events_per_second},
        {"cost_per_second", x.cost_per_second},
        {"cost_share",
         cost > 0 ? std::min(x.cost_per_second / cost, 1.0) : 0.0}});
  return {{"taken_unix_ns", unix_now_ns},
          {"sorted_by", to_string(order)},
          {"total", total},
          {"channels", std::move(channels)}};
}

json::object route_report(const admin_view& view, const std::string& channel,
                          const route_explanation& x, const inspection& seen) {
  auto shards = static_cast<uint16_t>(view.counts->shard.size());
  auto shard = shard_of(channel, shards).value;
  json::array presence, stops;
  for (auto& position : x.presence)
    presence.emplace_back(position.value);
  for (auto& stop : x.route.stops)
    stops.push_back(stop_of(view, stop.instance, stop.users, false, seen));
  for (auto index : x.route.departing)
    stops.push_back(stop_of(view, index, 0, true, seen));
  return {{"channel", channel},
          {"is_known", x.route.known},
          {"shard", shard},
          {"actor", "routing/shard-" + std::to_string(shard)},
          {"members", x.route.members},
          {"fanout", uint64_t{x.route.stops.size()}},
          {"table_version", x.table_version},
          {"sequence", x.routed_to.value},
          {"presence_sequences", std::move(presence)},
          {"instances", std::move(stops)},
          {"explanation", explain(channel, shard, x.route)}};
}

json::object user_report(const admin_view& view, const std::string& user,
                         const user_explanation& x) {
  auto presence_shards = static_cast<uint16_t>(view.counts->presence.size());
  auto home = presence_shard_of(user, presence_shards).value;
  json::array shards, sessions;
  auto known = x.state.has_value();
  auto state = x.state.value_or(presence_ledger::user_state{});
  for (unsigned i = 0; i < view.counts->shard.size(); ++i)
    if ((state.shards >> i & 1) != 0)
      shards.emplace_back(i);
  for (auto& [session, instance] : state.sessions)
    sessions.push_back(json::object{
        {"session", session}, {"instance", view.instances->name_of(instance)}});
  return {{"user", user},
          {"presence_shard", home},
          {"actor", "presence/presence-" + std::to_string(home)},
          {"is_known", known},
          {"is_online", !state.sessions.empty()},
          {"is_resident", known && !state.is_evicted},
          {"sequence", state.version.value},
          {"shards", std::move(shards)},
          {"sessions", std::move(sessions)}};
}

} // namespace fantail
