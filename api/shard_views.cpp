// SPDX-License-Identifier: MIT
#include "api/shard_views.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

namespace fantail {

namespace {

json::object by_class(const auto& x) {
  return {{"critical", uint64_t{x[0]}},
          {"important", uint64_t{x[1]}},
          {"best_effort", uint64_t{x[2]}}};
}

json::object by_reason(const inspection::instance_view& x) {
  auto& overflow = x.overflow_by_class;
  return {{"queue_overflow",
           std::accumulate(overflow.begin(), overflow.end(), uint64_t{0})},
          {"nobody_listens", x.unheard}};
}

/// State and restarts of the actor at `id`.
void add_actor(const actor_views& actors, const std::string& id,
               json::object& out) {
  auto look = actors.find(id);
  out["actor"] = id;
  out["state"] = to_string(look ? look->state : activity::away);
  auto starts = look ? look->life.starts : 0;
  out["restarts"] = starts > 0 ? starts - 1 : 0;
}

json::object shard_of(const admin_view& view, const actor_views& actors,
                      size_t i) {
  auto& x = view.counts->shard[i];
  auto pace = view.watch->pace_of_shard(i);
  auto number = std::to_string(i);
  json::object result{{"shard", uint64_t{i}},
                      {"puller", "routing/puller-" + number},
                      {"channels", x.table_channels.get()},
                      {"users", x.table_users.get()},
                      {"memberships", x.table_memberships.get()},
                      {"bytes", x.table_bytes.get()},
                      {"sequence", x.routed_to.get()},
                      {"settled_sequence", x.settled_to.get()},
                      {"lag", x.lag.get()},
                      {"events", x.events.get()},
                      {"deliveries", x.deliveries.get()},
                      {"unroutable", x.unroutable.get()},
                      {"lost_positions", x.lost_positions.get()},
                      {"events_per_second", pace.events_per_second},
                      {"deliveries_per_second", pace.deliveries_per_second},
                      {"lookup_p99_ns", x.lookup.snapshot().quantile(0.99)},
                      {"batch_p99_ns", x.batch.snapshot().quantile(0.99)}};
  add_actor(actors, "routing/shard-" + number, result);
  return result;
}

json::object presence_shard_of(const admin_view& view,
                               const actor_views& actors, size_t i) {
  auto& x = view.counts->presence[i];
  auto number = std::to_string(i);
  json::object result{{"presence_shard", uint64_t{i}},
                      {"puller", "presence/puller-" + number},
                      {"users", x.users_online.get()},
                      {"sessions", x.sessions.get()},
                      {"zombies", x.zombies.get()},
                      {"bytes", x.bytes.get()},
                      {"sequence", x.log_position.get()},
                      {"updates", x.updates.get()},
                      {"updates_per_second", view.watch->pace_of_presence(i)},
                      {"rejected", x.rejected.get()},
                      {"expired", x.expired.get()},
                      {"update_p99_ns", x.update.snapshot().quantile(0.99)}};
  add_actor(actors, "presence/presence-" + number, result);
  return result;
}

std::vector<uint64_t> sessions_by_instance(const inspection& seen) {
  std::vector<uint64_t> result;
  for (auto& shard : seen.presence()) {
    auto& counts = shard.ledger.sessions_by_instance;
    result.resize(std::max(result.size(), counts.size()));
    for (size_t i = 0; i < counts.size(); ++i)
      result[i] += counts[i];
  }
  return result;
}

uint64_t routed_to(const telemetry::node& counts, size_t instance) {
  uint64_t result = 0;
  for (auto& egress : counts.egress)
    result += egress.routed[instance].get();
  return result;
}

} // namespace

std::string_view delivery_state_of(const inspection::instance_view& x,
                                   const inspection& seen) {
  if (std::ranges::find(seen.silent(), x.index) != seen.silent().end())
    return "dead";
  return x.is_absent ? "absent" : x.is_lagging ? "lagging" : "live";
}

json::object shard_list(const admin_view& view, const actor_views& actors) {
  json::array shards, presence;
  for (size_t i = 0; i < view.counts->shard.size(); ++i)
    shards.push_back(shard_of(view, actors, i));
  for (size_t i = 0; i < view.counts->presence.size(); ++i)
    presence.push_back(presence_shard_of(view, actors, i));
  return {{"taken_unix_ns", actors.unix_now_ns()},
          {"shards", std::move(shards)},
          {"presence_shards", std::move(presence)}};
}

json::object instance_list(const admin_view& view, const actor_views& actors,
                           const inspection& seen) {
  auto sessions = sessions_by_instance(seen);
  auto views = seen.instances();
  std::ranges::sort(views, {}, [](auto& x) { return x.index.value; });
  json::array result;
  for (auto& x : views) {
    size_t i = x.index.value;
    auto outbox = "outboxes/outbox-" + std::to_string(i);
    auto group = i % view.counts->egress.size();
    result.push_back(json::object{
        {"name", x.name},
        {"index", x.index.value},
        {"format", to_string(x.format)},
        {"incarnation", x.incarnation},
        {"delivery_state", delivery_state_of(x, seen)},
        {"egress", "delivery/egress-" + std::to_string(group)},
        {"outbox", actors.find(outbox) ? json::value{outbox} : json::value{}},
        {"sessions", i < sessions.size() ? sessions[i] : 0},
        {"pending_events", x.pending_events},
        {"pending_bytes", x.pending_bytes},
        {"unacknowledged_bytes", x.unacknowledged_bytes},
        {"events_by_class", by_class(x.pending_by_class)},
        {"drops_by_reason", by_reason(x)},
        {"routed", routed_to(*view.counts, i)},
        {"routed_per_second", view.watch->pace_of_instance(i)}});
  }
  return {{"taken_unix_ns", actors.unix_now_ns()},
          {"instances", std::move(result)}};
}

void add_delivery(const inspection& seen, json::object& out) {
  auto index = out["index"].if_int() ? *out["index"].if_int() : -1;
  for (auto& x : seen.instances()) {
    if (x.index.value != index)
      continue;
    json::array positions;
    for (size_t shard = 0; shard < x.positions.size(); ++shard)
      positions.push_back(
          json::object{{"shard", uint64_t{shard}},
                       {"told", x.positions[shard].first.value},
                       {"acknowledged", x.positions[shard].second.value}});
    out["delivery_state"] = delivery_state_of(x, seen);
    out["bytes"] = x.pending_bytes;
    out["unacknowledged_bytes"] = x.unacknowledged_bytes;
    out["events_by_class"] = by_class(x.pending_by_class);
    out["drops_by_reason"] = by_reason(x);
    out["sequence"] = std::move(positions);
  }
}

} // namespace fantail
