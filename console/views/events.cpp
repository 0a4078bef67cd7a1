// SPDX-License-Identifier: MIT
#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/table.hpp"
#include "console/text.hpp"
#include "console/views/views.hpp"

namespace fantail::console {

namespace {

tone tone_of_severity(const std::string& severity) {
  if (severity == "error")
    return tone::bad;
  if (severity == "warning")
    return tone::warning;
  return severity == "debug" ? tone::quiet : tone::plain;
}

/// What `detail` does not say already.
std::string missing_fields(const json::value& event,
                           const std::string& detail) {
  std::string result;
  auto* fields = member(event, "fields").if_object();
  if (!fields)
    return result;
  for (auto& [key, value] : *fields) {
    auto* words = value.if_string();
    auto is_unit = key.ends_with("_ns");
    if (!words || is_unit || detail.find(printable(*words)) != detail.npos)
      continue;
    result += "  " + printable(key) + "=" + printable(*words);
  }
  return result;
}

} // namespace

std::string show_event(const json::value& x, const look& how) {
  auto severity = text(x, "severity");
  auto time = show_time(whole(x, "at_unix_ns"), how);
  auto kind = text(x, "kind");
  auto detail = text(x, "detail");
  auto rest = missing_fields(x, detail);
  constexpr size_t kind_width = 15;
  auto before = width_of(time) + 2 + kind_width + 2;
  if (how.width > before) {
    detail = shorten(detail, how.width - before);
    auto used = before + width_of(detail);
    rest = used < how.width ? shorten(rest, how.width - used) : "";
  }
  auto is = tone_of_severity(severity);
  auto title_tone = kind == "child-restarted" || kind == "actor-unstuck"
                            || kind == "actor-resumed" || kind == "link-up"
                        ? tone::good
                        : is;
  return paint(time, tone::quiet, how) + "  "
         + paint(pad_right(kind, kind_width), title_tone, how) + "  "
         + paint(detail, is == tone::bad ? tone::plain : is, how)
         + paint(rest, tone::quiet, how);
}

std::string show_hop(const json::value& x, const look& how) {
  auto first = text(x, "hop") == "pulled";
  auto after = first ? cell{"pulled"}
                     : cell{"+" + duration_cell(x, "since_pulled_ns").text};
  auto line = paint(show_time(whole(x, "at_unix_ns"), how), tone::quiet, how)
              + "  " + pad_left(after.text, 9) + "  "
              + paint(pad_right(text(x, "hop"), 9),
                      first ? tone::strong : tone::plain, how)
              + "  " + paint(pad_right(text(x, "actor"), 20), tone::name, how)
              + "  ";
  auto where = text(x, "channel") + " #" + std::to_string(whole(x, "sequence"));
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
