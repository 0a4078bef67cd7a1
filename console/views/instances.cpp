// SPDX-License-Identifier: MIT
#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/palette.hpp"
#include "console/table.hpp"
#include "console/views/views.hpp"

namespace fantail::console {

namespace {

/// The sum over all classes or reasons.
int64_t sum_of(const json::value& x) {
  int64_t result = 0;
  if (auto* members = x.if_object())
    for (auto& [name, value] : *members)
      if (auto* n = value.if_int())
        result += *n;
  return result;
}

cell drops_cell(const json::value& x) {
  auto n = sum_of(member(x, "drops_by_reason"));
  return {show_count(n), n > 0 ? tone::warning : tone::plain};
}

std::vector<cell> parts_by_name(
    const json::value& x,
    std::initializer_list<std::pair<const char*, const char*>> names) {
  std::vector<cell> result;
  for (auto& [key, name] : names)
    result.push_back({count_cell(x, key).text + " " + name});
  return result;
}

} // namespace

page show_instances(const json::value& x, const look& how) {
  page out;
  table rows{{{"INSTANCE", false, 0, 22},
              {"STATE"},
              {"FORMAT", false, 3},
              {"SESSIONS", true},
              {"RATE", true},
              {"PENDING", true},
              {"BYTES", true, 1},
              {"UNACKED", true, 2},
              {"DROPPED", true},
              {"ROUTED", true, 4},
              {"EGRESS", false, 5}}};
  for (auto& i : list(x, "instances"))
    rows.add({text(i, "name"), state_cell(i, "delivery_state"),
              text(i, "format"), count_cell(i, "sessions"),
              rate_cell(i, "routed_per_second"),
              count_cell(i, "pending_events"), bytes_cell(i, "pending_bytes"),
              bytes_cell(i, "unacknowledged_bytes"), drops_cell(i),
              count_cell(i, "routed"), text(i, "egress")},
             "instance " + quote_word(i.string_or("name", "")));
  if (rows.empty())
    out.add("No instance has registered, and no user is on any.");
  else
    rows.draw(out, how);
  return out;
}

page show_instance(const json::value& x, std::string_view name,
                   const look& how) {
  page out;
  for (auto& i : list(x, "instances")) {
    if (i.string_or("name", "") != name)
      continue;
    out.add(heading(text(i, "name"), "", how));
    facts lines;
    auto incarnation = text(i, "incarnation");
    lines.add("state",
              {state_cell(i, "delivery_state"), "format " + text(i, "format"),
               incarnation.empty() ? "never registered"
                                   : "incarnation " + incarnation});
    lines.add("sessions", count_cell(i, "sessions"));
    lines.add("routed", {rate_cell(i, "routed_per_second"),
                         count_cell(i, "routed").text + " so far"});
    lines.add("pending", {count_cell(i, "pending_events").text + " events",
                          bytes_cell(i, "pending_bytes")});
    lines.add("by class", parts_by_name(member(i, "events_by_class"),
                                        {{"critical", "critical"},
                                         {"important", "important"},
                                         {"best_effort", "best effort"}}));
    lines.add("unacknowledged", bytes_cell(i, "unacknowledged_bytes"));
    lines.add("dropped", parts_by_name(member(i, "drops_by_reason"),
                                       {{"queue_overflow", "queue overflow"},
                                        {"nobody_listens", "nobody listens"}}));
    lines.draw(out, how);
    out.add("");
    table actors{{{"SERVED BY", false, 0, 12}}};
    for (auto* key : {"egress", "outbox"})
      if (auto id = i.string_or(key, ""); !id.empty())
        actors.add({text(i, key)}, open_actor(id));
    actors.draw(out, how);
    break;
  }
  return out;
}

} // namespace fantail::console
