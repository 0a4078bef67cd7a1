// SPDX-License-Identifier: MIT
#include "console/diagnosis/incidents.hpp"

#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/table.hpp"
#include "console/text.hpp"
#include "console/views/views.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace fantail::console {

namespace {

/// A kill shows its effect with the actor's next message; what fails later did
/// so for another reason.
constexpr int64_t kill_effect_ns = 60'000'000'000;

/// What belongs together is told within this time, in whatever order.
constexpr int64_t told_late_ns = 1'000'000'000;

struct kill_order {
  std::string mode;
  int64_t at_unix_ns;
};

/// The newest incident of that actor and kind that is not over.
incident* open_incident(std::vector<incident>& all, const std::string& actor,
                        std::string_view what) {
  for (auto i = all.rbegin(); i != all.rend(); ++i)
    if (i->actor == actor && i->what == what)
      return i->ended_unix_ns < 0 ? &*i : nullptr;
  return nullptr;
}

/// The newest failure of that actor, if a kill told of `at` explains it.
incident* unexplained(std::vector<incident>& all, const std::string& actor,
                      int64_t at) {
  for (auto i = all.rbegin(); i != all.rend(); ++i)
    if (i->actor == actor && i->what == "failed") {
      auto is_recent = at - i->began_unix_ns < told_late_ns;
      return is_recent && i->killed_by.empty() ? &*i : nullptr;
    }
  return nullptr;
}

std::string duration_of(const incident& x) {
  return show_seconds(static_cast<double>(x.ended_unix_ns - x.began_unix_ns)
                      / 1e9);
}

/// Of all that are over: the middle one and the longest.
std::string recovery_of(const std::vector<incident>& incidents) {
  std::vector<const incident*> over;
  for (auto& x : incidents)
    if (x.ended_unix_ns >= 0 && x.what == "failed")
      over.push_back(&x);
  if (over.empty())
    return {};
  std::sort(over.begin(), over.end(), [](auto* a, auto* b) {
    return a->ended_unix_ns - a->began_unix_ns
           < b->ended_unix_ns - b->began_unix_ns;
  });
  return "; back after " + duration_of(*over[(over.size() - 1) / 2])
         + " (median), at most " + duration_of(*over.back());
}

} // namespace

std::vector<incident> incidents_of(const json::array& events) {
  std::vector<incident> result;
  std::map<std::string, kill_order> kills;
  /// When an actor itself said that it fails, before its supervisor heard.
  std::map<std::string, int64_t> failing;
  for (auto& e : events) {
    auto kind = e.string_or("kind", "");
    auto actor = e.string_or("actor", "");
    auto at = whole(e, "at_unix_ns");
    auto& fields = member(e, "fields");
    auto begin = [&](const char* what, std::string why) {
      incident x{actor, what, std::move(why), "", at, -1};
      if (auto kill = kills.find(actor); kill != kills.end()) {
        if (at - kill->second.at_unix_ns < kill_effect_ns)
          x.killed_by = kill->second.mode;
        kills.erase(kill);
      }
      result.push_back(std::move(x));
    };
    auto end = [&](const char* what) {
      if (auto* x = open_incident(result, actor, what))
        x->ended_unix_ns = at;
    };
    if (kind == "actor-killed") {
      auto mode = fields.string_or("mode", "kill");
      if (auto* x = unexplained(result, actor, at))
        x->killed_by = mode;
      else
        kills[actor] = {mode, at};
    } else if (kind == "child-failed") {
      // Who hung and is gone hangs no more.
      end("hung");
      begin("failed", fields.string_or("cause", e.string_or("detail", "")));
      if (auto said = failing.find(actor); said != failing.end()) {
        if (at - said->second < told_late_ns)
          result.back().began_unix_ns = said->second;
        failing.erase(said);
      }
    } else if (kind == "actor-failed") {
      failing[actor] = at;
    } else if (kind == "child-restarted") {
      // Who was told to end did not fail.
      auto kill = kills.find(actor);
      if (!open_incident(result, actor, "failed") && kill != kills.end()) {
        auto killed_at = kill->second.at_unix_ns;
        begin("ended", "told to end");
        result.back().began_unix_ns = killed_at;
        end("ended");
      }
      end("failed");
    } else if (kind == "actor-stuck") {
      begin("hung", "handles " + fields.string_or("message", "a message"));
      // It is told of after it has hung for a while.
      auto hung_ns = parse_whole(fields.string_or("for_ns", ""), 0, at);
      result.back().began_unix_ns -= hung_ns.value_or(0);
    } else if (kind == "actor-unstuck") {
      end("hung");
    }
  }
  return result;
}

page show_incidents(const std::vector<incident>& incidents, const look& how) {
  page out;
  if (incidents.empty()) {
    out.add("No actor failed or hung, as far as the node remembers.");
    return out;
  }
  table rows{{{"TIME (UTC)"},
              {"ACTOR", false, 0, 22},
              {"WHAT"},
              {"BACK AFTER", true},
              {"KILLED BY", false, 1},
              {"WHY", false, 0, 16}}};
  for (auto& x : incidents)
    rows.add({cell{show_time(x.began_unix_ns, how), tone::quiet},
              printable(x.actor),
              cell{x.what, x.what == "hung" ? tone::warning : tone::bad},
              x.ended_unix_ns < 0 ? cell{"not yet", tone::bad}
                                  : cell{duration_of(x), tone::good},
              x.killed_by.empty() ? cell{}
                                  : cell{"operator: " + printable(x.killed_by)},
              plain_cause(printable(x.why))},
             open_actor(x.actor));
  rows.draw(out, how);
  out.add(paint(std::to_string(incidents.size())
                    + (incidents.size() == 1 ? " incident" : " incidents")
                    + recovery_of(incidents),
                tone::quiet, how));
  return out;
}

} // namespace fantail::console
