// SPDX-License-Identifier: MIT
#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/palette.hpp"
#include "console/table.hpp"
#include "console/text.hpp"
#include "console/views/thresholds.hpp"
#include "console/views/views.hpp"

namespace fantail::console {

namespace {

cell heat_cell(const json::value& x) {
  auto result = share_cell(x, "cost_share");
  if (number(x, "cost_share") >= hot_share_warn
      && number(x, "cost_per_second") >= hot_cost_least)
    result.is = tone::warning;
  return result;
}

cell members_cell(const json::value& x) {
  auto result = count_cell(x, "members");
  if (number(x, "members") > members_alarm)
    result.is = tone::bad;
  return result;
}

std::string why_in_words(const std::string& why) {
  if (why == "members_online")
    return "members online there";
  if (why == "departing")
    return "the last member left; events stored before may be on their way";
  return why;
}

/// `0, 3, 5`
std::string numbers_of(const json::array& xs) {
  std::string result;
  for (auto& x : xs)
    if (auto* n = x.if_int())
      result += (result.empty() ? "" : ", ") + std::to_string(*n);
  return result.empty() ? "none" : result;
}

} // namespace

page show_channels(const json::value& x, const look& how) {
  page out;
  table rows{{{"CHANNEL", false, 0, 22},
              {"SHARD", true},
              {"MEMBERS", true},
              {"INSTANCES", true},
              {"EVENTS", true},
              {"COST", true},
              {"SHARE", true}}};
  for (auto& c : list(x, "channels"))
    rows.add({text(c, "name"), count_cell(c, "shard"), members_cell(c),
              count_cell(c, "fanout"), rate_cell(c, "events_per_second"),
              rate_cell(c, "cost_per_second"), heat_cell(c)},
             "route explain " + quote_word(c.string_or("name", "")));
  if (rows.empty())
    out.add(text(x, "sorted_by") == "cost"
                ? "No channel is hot: none takes a noticeable share of the "
                  "deliveries. Try --top=members."
                : "No table has a channel: nobody is online.");
  else
    rows.draw(out, how);
  out.add(paint(count_cell(x, "total").text
                    + " channels in all; cost = events × instances per second",
                tone::quiet, how));
  return out;
}

page show_route(const json::value& x, const look& how) {
  page out;
  out.add(heading(text(x, "channel"), "", how));
  out.add_text(wrap(text(x, "explanation"), how.width, 0));
  out.add("");
  facts lines;
  lines.add("shard", {count_cell(x, "shard"), text(x, "actor")});
  lines.add("members", members_cell(x));
  lines.add("instances", count_cell(x, "fanout"));
  lines.add("table",
            {"version " + count_cell(x, "table_version").text,
             "routed up to " + count_cell(x, "sequence").text,
             "complete up to " + numbers_of(list(x, "presence_sequences"))
                 + " in the presence logs"});
  lines.draw(out, how);
  table rows{{{"INSTANCE", false, 0, 22},
              {"USERS", true},
              {"STATE"},
              {"FORMAT", false, 1},
              {"EGRESS", false, 2},
              {"WHY", false, 0, 16}}};
  for (auto& i : list(x, "instances"))
    rows.add({text(i, "instance"), count_cell(i, "users"),
              state_cell(i, "delivery_state"), text(i, "format"),
              text(i, "egress"), why_in_words(text(i, "why"))},
             "instance " + quote_word(i.string_or("instance", "")));
  if (!rows.empty()) {
    out.add("");
    rows.draw(out, how);
  }
  // Its actor can be opened as well.
  if (auto actor = x.string_or("actor", "");
      how.has_numbers && !actor.empty()) {
    out.add("");
    table served{{{"ROUTED BY"}}};
    served.add({printable(actor)}, open_actor(actor));
    served.draw(out, how);
  }
  return out;
}

page show_user(const json::value& x, const look& how) {
  page out;
  out.add(heading(text(x, "user"), "", how));
  facts lines;
  auto is_online = x.bool_or("is_online", false);
  auto is_known = x.bool_or("is_known", false);
  lines.add("is", is_online  ? cell{"online", tone::good}
                  : is_known ? cell{"offline", tone::plain}
                             : cell{"not known to this node", tone::warning});
  lines.add("channels",
            x.bool_or("is_resident", false)
                ? "in the tables of shards " + numbers_of(list(x, "shards"))
                : "not in the tables");
  lines.add("presence shard",
            {count_cell(x, "presence_shard"), text(x, "actor")});
  lines.add("newest record", count_cell(x, "sequence"));
  lines.draw(out, how);
  table rows{{{"SESSION", false, 0, 12}, {"INSTANCE", false, 0, 22}}};
  for (auto& s : list(x, "sessions"))
    rows.add({text(s, "session"), text(s, "instance")},
             "instance " + quote_word(s.string_or("instance", "")));
  if (!rows.empty()) {
    out.add("");
    rows.draw(out, how);
  }
  return out;
}

} // namespace fantail::console
