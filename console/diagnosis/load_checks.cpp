// SPDX-License-Identifier: MIT
#include "console/diagnosis/checks.hpp"
#include "console/diagnosis/metrics_text.hpp"
#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/views/thresholds.hpp"
#include "console/views/views.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace fantail::console {

namespace {

verdict grade(double x, double notice, double alarm) {
  return x >= alarm    ? verdict::alarm
         : x >= notice ? verdict::notice
                       : verdict::good;
}

/// Quantiles of a histogram between the two moments, by label.
struct windowed {
  std::string label;
  double p99_seconds = 0;
  double count = 0;
};

std::vector<windowed> windowed_p99s(const observation& x,
                                    std::string_view metric,
                                    std::string_view label) {
  auto before = read_histograms(x.before.metrics, metric, label);
  auto after = read_histograms(x.after.metrics, metric, label);
  std::vector<windowed> result;
  for (auto& [name, counts] : after) {
    auto lately = between(before[name], counts);
    if (auto border = border_of(lately, 0.99))
      result.push_back({name, *border, lately.count()});
  }
  return result;
}

std::string at_most(double seconds) {
  return std::isinf(seconds) ? "beyond the largest bucket"
                             : "at most " + show_seconds(seconds);
}

std::string over_window(const observation& x) {
  return "over " + show_seconds(x.window_seconds);
}

struct lagging_shard {
  const json::value* now;
  int64_t lag;
  double growth;
};

std::vector<lagging_shard> lagging_shards(const observation& x) {
  std::vector<lagging_shard> result;
  auto& before = list(x.before.shards, "shards");
  for (auto& s : list(x.after.shards, "shards")) {
    auto lag = whole(s, "lag");
    auto growth = 0.0;
    for (auto& b : before)
      if (whole(b, "shard") == whole(s, "shard") && x.window_seconds > 0)
        growth = static_cast<double>(lag - whole(b, "lag")) / x.window_seconds;
    if (lag > 0)
      result.push_back({&s, lag, growth});
  }
  std::sort(result.begin(), result.end(),
            [](auto& a, auto& b) { return a.lag > b.lag; });
  return result;
}

bool does_not_work(const json::value& actor) {
  auto state = text(actor, "state");
  return state == "stuck" || state == "suspended" || state == "away";
}

/// Why one shard lags: what its actors are doing.
void blame_actors(const observation& x, const json::value& shard,
                  finding& out) {
  for (auto* key : {"actor", "puller"}) {
    auto id = shard.string_or(key, "");
    auto* actor = find_actor(x, id);
    if (!actor)
      continue;
    auto state = text(*actor, "state");
    if (does_not_work(*actor)) {
      out.evidence.push_back(text(*actor, "id") + " is " + state);
      out.advice = state == "suspended"
                       ? "resume " + text(*actor, "id")
                       : "see what " + text(*actor, "id") + " is doing";
      out.target = open_actor(id);
    } else if (ended_lately(*actor, x.now_unix_ns)) {
      out.evidence.push_back(tell_restart(*actor, x.now_unix_ns));
      out.target = open_actor(id);
    } else if (number(*actor, "busy_ratio") >= busy_alarm) {
      out.evidence.push_back(text(*actor, "id") + " is "
                             + show_share(number(*actor, "busy_ratio"))
                             + " busy: it works as fast as it can");
      out.advice = "more shards, more cores, or fewer deliveries";
      out.target = open_actor(id);
    }
  }
}

/// Who does not work does not count what it leaves undone either.
void blame_the_silent(const observation& x, finding& out) {
  for (auto& s : list(x.after.shards, "shards")) {
    if (!does_not_work(s))
      continue;
    out.is = std::max(out.is, verdict::notice);
    out.evidence.push_back("shard " + std::to_string(whole(s, "shard"))
                           + ": its lag is as it was when its actor stopped");
    blame_actors(x, s, out);
  }
}

bool is_failing(const json::value& component) {
  return text(component, "status") == "failing";
}

/// What else makes all shards lag: NATS, and the way out.
void blame_surroundings(const observation& x, finding& out) {
  for (auto& c : list(x.after.node, "components"))
    if (is_failing(c)) {
      out.evidence.push_back(text(c, "name")
                             + " is failing: " + text(c, "detail"));
      out.advice = "look after NATS first";
    }
  auto is_egress = [](const json::value& a) {
    return text(a, "type") == "egress"
           && (number(a, "busy_ratio") >= busy_alarm
               || text(a, "state") == "stuck"
               || text(a, "state") == "suspended");
  };
  for (auto* a : actors_where(x, is_egress)) {
    out.evidence.push_back(
        text(*a, "id") + " is "
        + (text(*a, "state") == "busy" || text(*a, "state") == "idle"
               ? show_share(number(*a, "busy_ratio")) + " busy"
               : text(*a, "state"))
        + ": publishes are slow");
    out.target = open_actor(a->string_or("id", ""));
    if (out.advice.empty())
      out.advice = text(*a, "state") == "suspended"
                       ? "resume " + text(*a, "id")
                       : "raise egress.connections, or see why it does not "
                         "write";
  }
}

} // namespace

finding check_latency(const observation& x) {
  finding out{"latency", verdict::good, "", {}, "", "status"};
  auto lately = windowed_p99s(x, "fanout_routing_latency_seconds", "operation");
  auto total = std::find_if(lately.begin(), lately.end(),
                            [](auto& a) { return a.label == "total"; });
  auto& latency = member(member(x.after.node, "latency"), "total");
  auto ever = "since the start: p50 " + duration_cell(latency, "p50_ns").text
              + ", p99 " + duration_cell(latency, "p99_ns").text + ", max "
              + duration_cell(latency, "max_ns").text;
  if (total == lately.end()) {
    out.summary = "no event was routed " + over_window(x);
    if (whole(latency, "count") > 0)
      out.evidence = {ever};
    return out;
  }
  out.is = grade(total->p99_seconds * 1e9, latency_p99_warn_ns * 1.01,
                 latency_p99_alarm_ns);
  out.summary
      = "p99 " + over_window(x) + " is " + at_most(total->p99_seconds)
        + (out.is == verdict::good ? ", as it should be" : "; wanted are 5 ms");
  for (auto& a : lately)
    if (a.label != "total")
      out.evidence.push_back(a.label + ": p99 " + at_most(a.p99_seconds));
  out.evidence.push_back(ever);
  if (out.is != verdict::good)
    out.advice = "lag, waits and channels below tell which of them it is";
  return out;
}

finding check_lag(const observation& x) {
  finding out{"lag", verdict::good, "", {}, "", "shards"};
  auto total = number(member(x.after.node, "totals"), "lag");
  auto before = number(member(x.before.node, "totals"), "lag");
  auto growth = x.window_seconds > 0 ? (total - before) / x.window_seconds : 0;
  out.is = grade(total, lag_warn, lag_alarm);
  out.summary = show_count(std::llround(std::max(total, 0.0)))
                + " events are not settled";
  auto events = number(member(x.after.node, "rates"), "events_per_second");
  auto grows = growth > std::max(100.0, events * 0.02);
  if (out.is != verdict::good)
    out.summary += grows ? ", and the lag grows by " + show_rate(growth)
                   : growth < -1
                       ? ", and the lag shrinks by " + show_rate(-growth)
                       : ", and the lag stays as it is";
  auto shards = lagging_shards(x);
  auto& components = list(x.after.node, "components");
  if (out.is == verdict::good) {
    blame_the_silent(x, out);
    if (std::any_of(components.begin(), components.end(), is_failing)) {
      out.is = verdict::notice;
      out.summary += ", as far as is known: NATS cannot be asked";
      blame_surroundings(x, out);
    }
    if (out.is == verdict::good && !shards.empty())
      out.evidence.push_back("most in shard "
                             + std::to_string(whole(*shards[0].now, "shard"))
                             + ": " + show_count(shards[0].lag));
    return out;
  }
  constexpr size_t shown_max = 3;
  for (size_t i = 0; i < std::min(shards.size(), shown_max); ++i) {
    auto& s = shards[i];
    out.evidence.push_back("shard " + std::to_string(whole(*s.now, "shard"))
                           + ": " + show_count(s.lag) + " events, "
                           + (s.growth >= 0 ? "+" + show_rate(s.growth)
                                            : "-" + show_rate(-s.growth)));
    blame_actors(x, *s.now, out);
  }
  blame_surroundings(x, out);
  if (out.advice.empty())
    out.advice = grows ? "more comes in than goes out: see waits and channels"
                       : "wait: nothing stands in the way of catching up";
  return out;
}

finding check_waits(const observation& x) {
  finding out{"waits", verdict::good, "", {}, "", "actors --top=queue"};
  auto lately = windowed_p99s(x, "fanout_mailbox_wait_seconds", "actor");
  const windowed* worst = nullptr;
  for (auto& a : lately)
    if (!worst || a.p99_seconds > worst->p99_seconds)
      worst = &a;
  auto worst_ns = worst ? worst->p99_seconds * 1e9 : 0;
  out.is = grade(worst_ns, wait_p99_warn_ns * 1.01, wait_p99_alarm_ns);
  out.summary = worst ? "messages waited " + at_most(worst->p99_seconds)
                            + " (p99 " + over_window(x) + "), longest at "
                            + worst->label
                      : "no wait was measured " + over_window(x);
  const json::value* longest = nullptr;
  for (auto* a : actors_where(x, [](auto&) { return true; }))
    if (!longest
        || whole(*a, "mailbox_length") > whole(*longest, "mailbox_length"))
      longest = a;
  if (longest && whole(*longest, "mailbox_length") > 0) {
    out.evidence.push_back(
        "longest mailbox now: " + text(*longest, "id") + " with "
        + count_cell(*longest, "mailbox_length").text + " messages");
    out.target = open_actor(longest->string_or("id", ""));
  }
  auto busiest = actors_where(
      x, [](auto& a) { return number(a, "busy_ratio") >= busy_warn; });
  for (auto* a : busiest)
    out.evidence.push_back(text(*a, "id") + " is "
                           + show_share(number(*a, "busy_ratio")) + " busy");
  if (out.is != verdict::good)
    out.advice = busiest.empty()
                     ? "no actor is busy: the machine's cores are taken by "
                       "something else"
                     : "the busy actors are the bottleneck; see what they "
                       "handle";
  return out;
}

} // namespace fantail::console
