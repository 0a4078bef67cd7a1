// SPDX-License-Identifier: MIT
#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/table.hpp"
#include "console/text.hpp"
#include "console/views/views.hpp"

#include <algorithm>

namespace fantail::console {

namespace {

tone tone_of_severity(const std::string& severity) {
  if (severity == "error")
    return tone::bad;
  if (severity == "warning")
    return tone::warning;
  return severity == "debug" ? tone::quiet : tone::plain;
}

/// Fields that say what others say better.
bool is_told_elsewhere(std::string_view key, bool has_actor) {
  return key == "component" || key == "event"
         || (has_actor
             && (key == "actor" || key == "supervisor" || key == "child"));
}

/// Whom it concerns and what is known of it. The node's own line for people
/// repeats the kind and the names of what is shown in columns here; where it
/// is made of the fields, it is made anew.
std::string story_of(const json::value& event) {
  auto& fields = member(event, "fields");
  auto actor = text(event, "actor");
  auto detail = text(event, "detail");
  auto head = text(fields, "component") + " " + text(fields, "event");
  auto is_of_fields = head.size() > 1 && detail.starts_with(head);
  std::string result = is_of_fields ? actor : detail;
  auto* known = fields.if_object();
  for (auto& [key, value] : known ? *known : json::object{}) {
    auto* words = value.if_string();
    if (!words || is_told_elsewhere(key, !actor.empty()))
      continue;
    auto shown = printable(*words);
    if (!is_of_fields
        && (key.ends_with("_ns") || detail.find(shown) != detail.npos))
      continue;
    result += result.empty() ? "" : "  ";
    result += key == "cause" || key == "reason" ? plain_cause(shown)
                                                : printable(key) + "=" + shown;
  }
  return result;
}

} // namespace

std::string show_event(const json::value& x, const look& how) {
  auto kind = text(x, "kind");
  auto event = text(member(x, "fields"), "event");
  auto title = kind == "report" && !event.empty() ? event : kind;
  auto is = tone_of_severity(text(x, "severity"));
  if (kind == "child-restarted" || kind == "actor-unstuck"
      || kind == "actor-resumed" || kind == "link-up")
    is = tone::good;
  auto time = show_time(whole(x, "at_unix_ns"), how);
  constexpr size_t title_width = 18;
  auto story = story_of(x);
  auto before = width_of(time) + 2 + std::max(title_width, width_of(title)) + 2;
  if (how.width > 0)
    story = shorten(story, how.width > before ? how.width - before : 0);
  auto shown = story.empty() ? title : pad_right(title, title_width);
  return paint(time, tone::quiet, how) + "  " + paint(shown, is, how)
         + (story.empty() ? "" : "  " + story);
}

std::string show_hop(const json::value& x, const look& how) {
  auto first = text(x, "hop") == "pulled";
  auto after = first ? cell{"0"}
                     : cell{"+" + duration_cell(x, "since_pulled_ns").text};
  auto line = paint(show_time(whole(x, "at_unix_ns"), how), tone::quiet, how)
              + "  " + pad_left(after.text, 9) + "  "
              + paint(pad_right(text(x, "hop"), 9),
                      first ? tone::strong : tone::plain, how)
              + "  " + paint(pad_right(text(x, "actor"), 20), tone::name, how)
              + "  ";
  // Of a chat event it is its channel, of a change of presence its user.
  auto where = text(x, "channel") + text(x, "user") + " #"
               + std::to_string(whole(x, "sequence"));
  auto detail = text(x, "detail");
  constexpr size_t before = 12 + 2 + 9 + 2 + 9 + 2 + 20 + 2;
  auto rest = where + (detail.empty() ? "" : "  " + detail);
  if (how.width > before)
    rest = shorten(rest, how.width - before);
  return line + rest;
}

page show_dead_letters(const json::value& x, const look& how) {
  page out;
  auto total = whole(x, "total");
  if (total <= 0) {
    out.add("No dead letters: everything found somebody who could take it.");
    return out;
  }
  facts lines;
  lines.add("since the start", count_cell(x, "total"));
  auto& reasons = member(x, "by_reason");
  if (auto* known = reasons.if_object())
    for (auto& [reason, n] : *known)
      lines.add(printable(reason), count_cell(reasons, reason));
  lines.draw(out, how);
  out.add("");
  table rows{{{"TIME (UTC)"},
              {"REASON", false, 0, 10},
              {"AT", false, 0, 10},
              {"MESSAGE", false, 0, 10},
              {"COUNT", true, 1},
              {"SAMPLE", false, 0, 12}}};
  for (auto& l : list(x, "letters"))
    rows.add({cell{show_time(whole(l, "at_unix_ns"), how), tone::quiet},
              cell{text(l, "reason"), tone::warning}, text(l, "actor"),
              text(l, "message"), count_cell(l, "count"), text(l, "sample")});
  rows.draw(out, how);
  return out;
}

page show_action(const json::value& x, const look& how) {
  page out;
  auto outcome = text(x, "outcome");
  auto title = text(x, "action") + " " + text(x, "id");
  if (auto mode = text(x, "mode"); !mode.empty())
    title += " by " + mode;
  auto verdict = outcome == "done" ? cell{"done", tone::good}
                 : outcome == "would_be_done"
                     ? cell{"dry run, nothing was changed", tone::warning}
                     : cell{"unchanged, it was so already", tone::warning};
  out.add(paint(title, tone::strong, how) + ": " + paint(verdict, how));
  out.add_text(wrap(text(x, "explanation"), how.width, 0));
  auto& affected = list(x, "affected");
  if (affected.size() < 2)
    return out;
  std::string all = "concerns " + std::to_string(affected.size()) + " actors:";
  for (auto& id : affected)
    if (auto* name = id.if_string())
      all += " " + printable(*name);
  out.add_text(wrap(all, how.width, 2));
  return out;
}

} // namespace fantail::console
