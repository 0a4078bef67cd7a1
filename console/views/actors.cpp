// SPDX-License-Identifier: MIT
#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/table.hpp"
#include "console/views/internals.hpp"
#include "console/views/thresholds.hpp"
#include "console/views/views.hpp"

#include <algorithm>

namespace fantail::console {

namespace {

cell busy_cell(const json::value& x) {
  auto result = share_cell(x, "busy_ratio");
  auto ratio = number(x, "busy_ratio");
  if (ratio >= busy_warn)
    result.is = ratio >= busy_alarm ? tone::bad : tone::warning;
  return result;
}

/// The message it handles and for how long, or why it does not run.
cell now_cell(const json::value& x) {
  auto message = text(x, "current_message");
  auto is_stuck = text(x, "state") == "stuck";
  if (!message.empty())
    return {message + " for " + duration_cell(x, "current_for_ns").text,
            is_stuck ? tone::bad : tone::quiet};
  if (text(x, "state") != "away")
    return {};
  return {plain_cause(text(x, "last_cause")), tone::quiet};
}

/// How long it was away when it ended last.
cell gap_cell(const json::value& x) {
  auto ended = whole(x, "last_end_unix_ns");
  auto began = whole(x, "running_since_unix_ns");
  if (ended < 0 || began < ended)
    return {"-", tone::quiet};
  return {show_seconds(static_cast<double>(began - ended) / 1e9)};
}

void add_restarts(page& out, const json::value& x, const look& how) {
  table rows{{{"ACTOR", false, 0, 22},
              {"STATE"},
              {"RESTARTS", true},
              {"ENDED", true, 1},
              {"BACK AFTER", true},
              {"WHY", false, 0, 20}}};
  for (auto& a : list(x, "actors")) {
    auto has_ended = whole(a, "last_end_unix_ns") >= 0;
    rows.add(
        {text(a, "id"), state_cell(a), fault_cell(a, "restarts", tone::warning),
         has_ended ? cell{age_cell(a, "last_end_unix_ns", how).text + " ago"}
                   : cell{"-", tone::quiet},
         gap_cell(a), plain_cause(text(a, "last_cause"))},
        open_actor(a.string_or("id", "")));
  }
  rows.draw(out, how);
}

void add_measures(page& out, const json::value& x, const look& how) {
  table rows{{{"ACTOR", false, 0, 22},
              {"STATE"},
              {"QUEUE", true},
              {"WAIT P99", true, 1},
              {"HANDLER P99", true, 2},
              {"RATE", true},
              {"BUSY", true},
              {"BYTES", true, 3},
              {"RESTARTS", true, 4},
              {"NOW", false, 5, 12}}};
  for (auto& a : list(x, "actors"))
    rows.add({text(a, "id"), state_cell(a), count_cell(a, "mailbox_length"),
              duration_cell(a, "mailbox_wait_p99_ns", wait_p99_warn_ns,
                            wait_p99_alarm_ns),
              duration_cell(a, "handler_p99_ns"),
              rate_cell(a, "messages_per_second"), busy_cell(a),
              bytes_cell(a, "bytes"), fault_cell(a, "restarts", tone::warning),
              now_cell(a)},
             open_actor(a.string_or("id", "")));
  rows.draw(out, how);
}

facts facts_of(const json::value& x, const look& how) {
  facts lines;
  std::vector<cell> state{state_cell(x)};
  if (auto message = text(x, "current_message"); !message.empty())
    state.push_back({"handles " + message + " for "
                     + duration_cell(x, "current_for_ns").text});
  if (whole(x, "held") > 0)
    state.push_back(
        {"holds " + count_cell(x, "held").text + " messages", tone::warning});
  lines.add("state", state);
  auto supervisor = text(x, "supervisor");
  lines.add("kind",
            {text(x, "type"), supervisor.empty() ? "the root supervisor"
                                                 : "below " + supervisor});
  lines.add(
      "running",
      {whole(x, "running_since_unix_ns") < 0
           ? cell{"no", tone::warning}
           : cell{"for " + age_cell(x, "running_since_unix_ns", how).text},
       cell{"restarts " + count_cell(x, "restarts").text}});
  if (auto cause = plain_cause(text(x, "last_cause")); !cause.empty())
    lines.add("ended last",
              {cell{age_cell(x, "last_end_unix_ns", how).text + " ago"},
               cell{"back after " + gap_cell(x).text},
               cell{cause, tone::warning}});
  lines.add("mailbox",
            {count_cell(x, "mailbox_length").text + " wait",
             "p50 " + duration_cell(x, "mailbox_wait_p50_ns").text,
             cell{"p99 " + duration_cell(x, "mailbox_wait_p99_ns").text,
                  duration_cell(x, "mailbox_wait_p99_ns", wait_p99_warn_ns,
                                wait_p99_alarm_ns)
                      .is}});
  lines.add("handlers", {"p50 " + duration_cell(x, "handler_p50_ns").text,
                         "p99 " + duration_cell(x, "handler_p99_ns").text,
                         "max " + duration_cell(x, "handler_max_ns").text});
  auto busy = busy_cell(x);
  lines.add("work", {rate_cell(x, "messages_per_second"),
                     cell{busy.text + " busy", busy.is},
                     count_cell(x, "messages").text + " messages so far"});
  // Else it is among what the actor knows of itself.
  if (number(x, "bytes") >= 0 && member(x, "internals").is_null())
    lines.add("memory", bytes_cell(x, "bytes"));
  return lines;
}

void add_messages(page& out, const json::value& x, const look& how) {
  table rows{{{"MESSAGE", false, 0, 12}, {"HANDLED", true}}};
  constexpr size_t shown_max = 10;
  auto& all = list(x, "messages_by_type");
  for (size_t i = 0; i < std::min(all.size(), shown_max); ++i)
    rows.add({text(all[i], "type"), count_cell(all[i], "count")});
  if (rows.empty())
    return;
  out.add("");
  rows.draw(out, how);
  if (all.size() > shown_max)
    out.add(paint("and " + std::to_string(all.size() - shown_max)
                      + " more; --json shows them all",
                  tone::quiet, how));
}

void add_history(page& out, const json::value& x, const look& how) {
  table rows{{{"TIME (UTC)"}, {"EVENT"}, {"AFTER", true}, {"", false, 0, 20}}};
  int64_t before = -1;
  for (auto& e : list(x, "events")) {
    auto at = whole(e, "at_unix_ns");
    auto kind = text(e, "kind");
    auto is = kind == "failed" || kind == "stuck" || kind == "gave-up"
                  ? tone::bad
              : kind == "killed" || kind == "suspended"  ? tone::warning
              : kind == "restarted" || kind == "resumed" ? tone::good
                                                         : tone::plain;
    rows.add({cell{show_time(at, how), tone::quiet}, cell{kind, is},
              before < 0
                  ? cell{}
                  : cell{show_seconds(static_cast<double>(at - before) / 1e9)},
              plain_cause(text(e, "detail"))});
    before = at;
  }
  if (rows.empty())
    return;
  out.add("");
  rows.draw(out, how);
}

void add_children(page& out, const json::value& x, const look& how) {
  table rows{{{"CHILD", false, 0, 12}}};
  for (auto& c : list(x, "children"))
    if (auto* id = c.if_string())
      rows.add({*id}, open_actor(*id));
  if (rows.empty())
    return;
  out.add("");
  rows.draw(out, how);
}

} // namespace

page show_actors(const json::value& x, const look& how) {
  page out;
  auto shown = static_cast<int64_t>(list(x, "actors").size());
  auto sorted_by = text(x, "sorted_by");
  if (sorted_by == "restarts")
    add_restarts(out, x, how);
  else
    add_measures(out, x, how);
  if (auto total = whole(x, "total"); total > shown)
    out.add(paint(show_count(shown) + " of " + show_count(total)
                      + " actors; --limit=N shows more",
                  tone::quiet, how));
  return out;
}

page show_actor(const json::value& x, const look& how) {
  page out;
  out.add(heading(text(x, "id"), "", how));
  facts_of(x, how).draw(out, how);
  add_internals(out, x, how);
  add_messages(out, x, how);
  add_history(out, x, how);
  add_children(out, x, how);
  return out;
}

} // namespace fantail::console
