// SPDX-License-Identifier: MIT
#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/table.hpp"
#include "console/views/thresholds.hpp"
#include "console/views/views.hpp"

namespace fantail::console {

namespace {

std::vector<cell> actors_of(const json::value& counts) {
  std::vector<cell> result;
  result.push_back({show_count(whole(counts, "total")) + " actors"});
  for (auto* state : {"busy", "stuck", "suspended", "away", "ended"}) {
    auto n = whole(counts, state);
    if (n <= 0)
      continue;
    std::string_view name{state};
    auto is = name == "stuck"                         ? tone::bad
              : name == "suspended" || name == "away" ? tone::warning
                                                      : tone::plain;
    result.push_back({show_count(n) + " " + state, is});
  }
  return result;
}

cell memory_of(const json::value& x) {
  auto used = number(x, "resident_bytes");
  auto limit = number(x, "limit_bytes");
  auto share = limit > 0 ? used / limit : 0;
  auto is = x.bool_or("is_short", false) ? tone::bad
            : share > memory_share_warn  ? tone::warning
                                         : tone::plain;
  return {
      show_bytes(used) + " of " + show_bytes(limit) + " (" + show_share(share)
          + ")"
          + (x.bool_or("is_short", false) ? ", new sessions are refused" : ""),
      is};
}

void add_latencies(page& out, const json::value& latency, const look& how) {
  table rows{{{"OF"},
              {"P50", true},
              {"P90", true, 2},
              {"P99", true},
              {"P99.9", true, 1},
              {"MAX", true},
              {"COUNT", true, 3}}};
  constexpr std::pair<const char*, const char*> kinds[]
      = {{"total", "read to NATS"},
         {"lookup", "lookup"},
         {"publish", "publish"},
         {"batch", "batch"},
         {"presence_update", "presence to table"}};
  for (auto& [key, name] : kinds) {
    auto& x = member(latency, key);
    if (whole(x, "count") <= 0)
      continue;
    auto is_total = std::string_view{key} == "total";
    auto warn = is_total ? latency_p99_warn_ns : never_ns;
    auto alarm = is_total ? latency_p99_alarm_ns : never_ns;
    rows.add({name, duration_cell(x, "p50_ns"), duration_cell(x, "p90_ns"),
              duration_cell(x, "p99_ns", warn, alarm),
              duration_cell(x, "p999_ns"), duration_cell(x, "max_ns"),
              count_cell(x, "count")});
  }
  if (rows.empty())
    return;
  out.add("");
  out.add(heading("Latency", "since the start", how));
  rows.draw(out, how);
}

void add_components(page& out, const json::value& x, const look& how) {
  table rows{{{"COMPONENT"}, {"STATUS"}, {"SINCE", true}, {"", false, 0, 20}}};
  for (auto& c : list(x, "components"))
    rows.add({text(c, "name"), state_cell(c, "status"),
              age_cell(c, "since_unix_ns", how), text(c, "detail")});
  if (rows.empty())
    return;
  out.add("");
  rows.draw(out, how);
}

} // namespace

page show_status(const json::value& x, const look& how) {
  page out;
  auto& totals = member(x, "totals");
  auto& rates = member(x, "rates");
  auto status = state_cell(x, "status");
  auto is_ready = x.bool_or("is_ready", false);
  facts lines;
  lines.add("node", {cell{text(x, "name"), tone::strong},
                     status,
                     is_ready ? cell{"ready", tone::good}
                              : cell{"not ready", tone::warning},
                     {"up " + show_seconds(number(x, "uptime_seconds"))}});
  lines.add(
      "routes",
      {rate_cell(rates, "events_per_second").text + " events",
       rate_cell(rates, "deliveries_per_second").text + " deliveries",
       rate_cell(rates, "presence_per_second").text + " presence changes"});
  auto lag = number(totals, "lag");
  auto lag_tone = lag >= lag_alarm  ? tone::bad
                  : lag >= lag_warn ? tone::warning
                                    : tone::good;
  lines.add("lag", cell{count_cell(totals, "lag").text + " events", lag_tone});
  lines.add("holds", {count_cell(totals, "channels").text + " channels",
                      count_cell(totals, "users").text + " users",
                      count_cell(totals, "sessions").text + " sessions",
                      count_cell(totals, "instances").text + " instances"});
  lines.add("memory", memory_of(member(x, "memory")));
  lines.add("actors", actors_of(member(x, "actors")));
  auto named = [&](const char* key, const char* name, tone is) {
    auto result = fault_cell(totals, key, is);
    result.text = std::string{name} + " " + result.text;
    return result;
  };
  lines.add("faults", {named("restarts", "restarts", tone::warning),
                       named("stuck", "stuck", tone::warning),
                       named("dead_letters", "dead letters", tone::warning),
                       named("dropped", "dropped", tone::warning),
                       named("lost_positions", "lost", tone::bad)});
  std::vector<cell> versions;
  if (auto* known = member(x, "versions").if_object())
    for (auto& [name, version] : *known)
      versions.push_back({name + " " + text(member(x, "versions"), name)});
  lines.add("runs", versions);
  lines.add("",
            {"pid " + std::to_string(whole(x, "pid")), text(x, "nats_url")});
  lines.draw(out, how);
  add_components(out, x, how);
  add_latencies(out, member(x, "latency"), how);
  return out;
}

} // namespace fantail::console
