// SPDX-License-Identifier: MIT
#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/table.hpp"
#include "console/views/thresholds.hpp"
#include "console/views/views.hpp"

namespace fantail::console {

namespace {

cell lag_cell(const json::value& x) {
  auto result = count_cell(x, "lag");
  auto lag = number(x, "lag");
  if (lag >= lag_warn)
    result.is = lag >= lag_alarm ? tone::bad : tone::warning;
  return result;
}

void add_routing(page& out, const json::value& x, const look& how) {
  table rows{{{"SHARD", true},
              {"STATE"},
              {"LAG", true},
              {"EVENTS", true},
              {"DELIVERIES", true},
              {"CHANNELS", true, 1},
              {"USERS", true, 2},
              {"MEMBERSHIPS", true, 3},
              {"BYTES", true, 4},
              {"BATCH P99", true, 5},
              {"LOOKUP P99", true, 7},
              {"SETTLED TO", true, 6},
              {"UNROUTABLE", true, 8},
              {"LOST", true},
              {"RESTARTS", true}}};
  for (auto& s : list(x, "shards"))
    rows.add({count_cell(s, "shard"), state_cell(s), lag_cell(s),
              rate_cell(s, "events_per_second"),
              rate_cell(s, "deliveries_per_second"), count_cell(s, "channels"),
              count_cell(s, "users"), count_cell(s, "memberships"),
              bytes_cell(s, "bytes"), duration_cell(s, "batch_p99_ns"),
              duration_cell(s, "lookup_p99_ns"),
              count_cell(s, "settled_sequence"), count_cell(s, "unroutable"),
              fault_cell(s, "lost_positions", tone::bad),
              fault_cell(s, "restarts", tone::warning)},
             open_actor(s.string_or("actor", "")));
  rows.draw(out, how);
}

void add_presence(page& out, const json::value& x, const look& how) {
  table rows{{{"SHARD", true},
              {"STATE"},
              {"USERS", true},
              {"SESSIONS", true},
              {"CHANGES", true},
              {"UPDATE P99", true},
              {"ZOMBIES", true},
              {"EXPIRED", true, 2},
              {"REJECTED", true, 1},
              {"BYTES", true, 3},
              {"RESTARTS", true}}};
  for (auto& s : list(x, "presence_shards"))
    rows.add({count_cell(s, "presence_shard"), state_cell(s),
              count_cell(s, "users"), count_cell(s, "sessions"),
              rate_cell(s, "updates_per_second"),
              duration_cell(s, "update_p99_ns", presence_p99_warn_ns,
                            presence_p99_alarm_ns),
              fault_cell(s, "zombies", tone::warning), count_cell(s, "expired"),
              fault_cell(s, "rejected", tone::warning), bytes_cell(s, "bytes"),
              fault_cell(s, "restarts", tone::warning)},
             open_actor(s.string_or("actor", "")));
  rows.draw(out, how);
}

} // namespace

page show_shards(const json::value& x, const look& how) {
  page out;
  out.add(heading("Routing shards", "slices of the channels", how));
  add_routing(out, x, how);
  out.add("");
  out.add(heading("Presence shards", "slices of the users", how));
  add_presence(out, x, how);
  return out;
}

} // namespace fantail::console
