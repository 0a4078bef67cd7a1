// SPDX-License-Identifier: MIT
#include "api/node_report.hpp"

#include "api/latency_report.hpp"
#include "runtime/metrics/process_usage.hpp"

#include <unistd.h>

#include <string>
#include <utility>

namespace fantail {

namespace {

int64_t to_unix_ns(std::chrono::system_clock::time_point x) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             x.time_since_epoch())
      .count();
}

json::array components_of(const std::vector<component_health>& all) {
  json::array result;
  for (auto& x : all)
    result.push_back(json::object{{"name", x.name},
                                  {"status", to_string(x.status)},
                                  {"detail", x.detail},
                                  {"since_unix_ns", to_unix_ns(x.since)}});
  return result;
}

template <class Parts, class Part>
uint64_t sum(const Parts& parts, telemetry::counter Part::*member) {
  uint64_t result = 0;
  for (auto& x : parts)
    result += (x.*member).get();
  return result;
}

json::object actor_counts(const std::vector<actor_look>& all) {
  json::object result{{"total", uint64_t{all.size()}}};
  for (auto state : {activity::idle, activity::busy, activity::stuck,
                     activity::suspended, activity::away, activity::ended}) {
    uint64_t count = 0;
    for (auto& x : all)
      count += x.state == state ? 1 : 0;
    result[std::string{to_string(state)}] = count;
  }
  return result;
}

json::object totals_of(const telemetry::node& counts, size_t instances,
                       const std::vector<actor_look>& actors) {
  using telemetry::egress, telemetry::presence, telemetry::shard;
  uint64_t restarts = 0;
  for (auto& x : actors)
    restarts += x.life.starts > 0 ? x.life.starts - 1 : 0;
  return {{"events", sum(counts.shard, &shard::events)},
          {"deliveries", sum(counts.shard, &shard::deliveries)},
          {"lag", sum(counts.shard, &shard::lag)},
          {"lost_positions", sum(counts.shard, &shard::lost_positions)},
          {"dropped", sum(counts.egress, &egress::dropped_best_effort)
                          + sum(counts.egress, &egress::dropped_important)
                          + sum(counts.egress, &egress::unheard)},
          {"channels", sum(counts.shard, &shard::table_channels)},
          {"users", sum(counts.presence, &presence::users_online)},
          {"sessions", sum(counts.presence, &presence::sessions)},
          {"instances", uint64_t{instances}},
          {"restarts", restarts},
          {"dead_letters", counts.letters.total()},
          {"stuck", counts.stuck_total.get()}};
}

json::object rates_of(const node_watch& watch, const telemetry::node& counts) {
  double events = 0, deliveries = 0, presence = 0;
  for (size_t i = 0; i < counts.shard.size(); ++i) {
    events += watch.pace_of_shard(i).events_per_second;
    deliveries += watch.pace_of_shard(i).deliveries_per_second;
  }
  for (size_t i = 0; i < counts.presence.size(); ++i)
    presence += watch.pace_of_presence(i);
  return {{"window_seconds", watch.window_seconds()},
          {"events_per_second", events},
          {"deliveries_per_second", deliveries},
          {"presence_per_second", presence}};
}

} // namespace

json::object node_report(const admin_view& view, const actor_views& actors) {
  auto components = view.health();
  auto all = actors.all();
  auto usage = read_process_usage();
  auto& counts = *view.counts;
  json::object versions;
  for (auto& [what, version] : view.versions)
    versions[what] = version;
  auto started = to_unix_ns(view.started_at);
  auto age = static_cast<double>(actors.unix_now_ns() - started) / 1e9;
  auto status = health_report(components);
  return {{"name", view.name},
          {"incarnation", view.incarnation},
          {"versions", std::move(versions)},
          {"pid", int64_t{::getpid()}},
          {"started_unix_ns", started},
          {"uptime_seconds", age},
          {"is_ready", is_ready(components)},
          {"status", status.string_or("status", "failing")},
          {"components", components_of(components)},
          {"nats_url", view.nats_url},
          {"token_file", view.token->path()},
          {"audit_log", view.audit->path()},
          {"memory",
           json::object{{"resident_bytes", usage ? usage->resident_bytes : 0},
                        {"limit_bytes", view.memory_limit},
                        {"is_short", counts.memory_short.get() != 0}}},
          {"actors", actor_counts(all)},
          {"totals", totals_of(counts, view.instances->size(), all)},
          {"rates", rates_of(*view.watch, counts)},
          {"latency", latency_report(collect_latencies(counts))}};
}

json::object dead_letter_list(const admin_view& view, size_t limit,
                              int64_t unix_now_ns) {
  auto& box = view.counts->letters;
  json::object by_reason;
  for (auto& [reason, count] : box.by_reason())
    by_reason[reason] = count;
  json::array letters;
  for (auto& x : box.newest(limit))
    letters.push_back(json::object{{"at_unix_ns", x.at_unix_ns},
                                   {"reason", x.reason},
                                   {"actor", x.actor},
                                   {"message", x.message},
                                   {"count", x.count},
                                   {"sample", x.sample}});
  return {{"taken_unix_ns", unix_now_ns},
          {"total", box.total()},
          {"by_reason", std::move(by_reason)},
          {"letters", std::move(letters)}};
}

} // namespace fantail
