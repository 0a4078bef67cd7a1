// SPDX-License-Identifier: MIT
#include "console/diagnosis/checks.hpp"
#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/views/views.hpp"

#include <algorithm>

namespace fantail::console {

namespace {

/// What "lately" means for restarts.
constexpr int64_t lately_ns = 600'000'000'000;
constexpr size_t told_max = 5;

void tell_rest(finding& out, size_t all) {
  if (all > told_max)
    out.evidence.push_back("and " + std::to_string(all - told_max) + " more");
}

} // namespace

const json::value* find_actor(const observation& x, const std::string& id) {
  auto found = actors_where(
      x, [&](auto& a) { return !id.empty() && a.string_or("id", "") == id; });
  return found.empty() ? nullptr : found.front();
}

bool ended_lately(const json::value& actor, int64_t now_unix_ns) {
  auto ended = whole(actor, "last_end_unix_ns");
  return ended >= 0 && now_unix_ns - ended < lately_ns;
}

std::string tell_restart(const json::value& actor, int64_t now_unix_ns) {
  look how;
  how.now_unix_ns = now_unix_ns;
  auto ended = whole(actor, "last_end_unix_ns");
  auto began = whole(actor, "running_since_unix_ns");
  auto result = text(actor, "id") + " ended "
                + age_cell(actor, "last_end_unix_ns", how).text + " ago";
  result += began >= ended
                ? ", back after "
                      + show_seconds(static_cast<double>(began - ended) / 1e9)
                : ", not back yet";
  auto cause = plain_cause(text(actor, "last_cause"));
  return cause.empty() ? result : result + ": " + cause;
}

finding check_health(const observation& x) {
  finding out{"node", verdict::good, "", {}, "", "status"};
  auto is_ready = x.after.node.bool_or("is_ready", false);
  for (auto& c : list(x.after.node, "components")) {
    auto status = text(c, "status");
    if (status == "ok")
      continue;
    out.evidence.push_back(text(c, "name") + " is " + status + ": "
                           + text(c, "detail"));
    out.is = std::max(out.is,
                      status == "failing" ? verdict::alarm : verdict::notice);
  }
  if (!is_ready)
    out.is = std::max(out.is, verdict::notice);
  out.summary = out.is == verdict::good ? "all components are well"
                : is_ready              ? "a component is not well"
                                        : "the node is not ready";
  if (out.is == verdict::alarm)
    out.advice = "look after the NATS server; links come back by themselves, "
                 "and if not, the node's log says why";
  return out;
}

finding check_actors(const observation& x) {
  finding out{"actors", verdict::good, "", {}, "", "tree"};
  auto odd = actors_where(x, [](auto& a) {
    auto state = text(a, "state");
    return state == "stuck" || state == "suspended" || state == "away";
  });
  if (odd.empty()) {
    out.summary = "none is stuck, suspended or away";
    return out;
  }
  for (auto* a : odd) {
    auto state = text(*a, "state");
    out.is
        = std::max(out.is, state == "stuck" ? verdict::alarm : verdict::notice);
    if (out.evidence.size() >= told_max)
      continue;
    auto line = text(*a, "id") + " is " + state;
    if (auto message = text(*a, "current_message"); !message.empty())
      line += ": handles " + message + " for "
              + duration_cell(*a, "current_for_ns").text;
    if (whole(*a, "mailbox_length") > 0)
      line += ", " + count_cell(*a, "mailbox_length").text + " messages wait";
    out.evidence.push_back(line);
  }
  tell_rest(out, odd.size());
  out.summary = std::to_string(odd.size())
                + (odd.size() == 1 ? " actor does" : " actors do")
                + " not work";
  auto first = odd.front()->string_or("id", "");
  out.target = open_actor(first);
  auto state = text(*odd.front(), "state");
  out.advice = state == "suspended" ? "resume " + text(*odd.front(), "id")
               : state == "stuck"
                   ? "a handler that never returns can only be ended with the "
                     "process; see what it handles"
                   : "its supervisor starts it when the backoff is over";
  return out;
}

finding check_restarts(const observation& x) {
  finding out{"restarts", verdict::good, "", {}, "", "incidents"};
  auto ended = actors_where(
      x, [&](auto& a) { return ended_lately(a, x.now_unix_ns); });
  if (ended.empty()) {
    out.summary = "no actor died in the last 10 minutes";
    return out;
  }
  std::sort(ended.begin(), ended.end(), [](auto* a, auto* b) {
    return whole(*a, "last_end_unix_ns") > whole(*b, "last_end_unix_ns");
  });
  out.is = verdict::notice;
  out.summary = std::to_string(ended.size())
                + (ended.size() == 1 ? " actor" : " actors")
                + " died in the last 10 minutes";
  for (size_t i = 0; i < std::min(ended.size(), told_max); ++i)
    out.evidence.push_back(tell_restart(*ended[i], x.now_unix_ns));
  tell_rest(out, ended.size());
  out.advice = "restarts are harmless one by one; the same one again and again "
               "is a defect to report";
  return out;
}

finding check_instances(const observation& x) {
  finding out{"instances", verdict::good, "", {}, "", "instances"};
  auto& all = list(x.instances, "instances");
  size_t odd = 0;
  for (auto& i : all) {
    auto state = text(i, "delivery_state");
    if (state == "live")
      continue;
    ++odd;
    out.is = verdict::notice;
    if (odd > told_max)
      continue;
    out.evidence.push_back(text(i, "name") + " is " + state + ", "
                           + count_cell(i, "sessions").text + " sessions, "
                           + bytes_cell(i, "pending_bytes").text + " pending");
  }
  tell_rest(out, odd);
  out.summary = all.empty() ? "there are none"
                : odd == 0
                    ? "all " + std::to_string(all.size()) + " are live"
                    : std::to_string(odd) + " of " + std::to_string(all.size())
                          + " do not take their events as they come";
  if (odd > 0)
    out.advice = "look after these instances; no other one waits for them";
  return out;
}

} // namespace fantail::console
