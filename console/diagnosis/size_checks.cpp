// SPDX-License-Identifier: MIT
#include "console/diagnosis/checks.hpp"
#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/palette.hpp"
#include "console/views/thresholds.hpp"

#include <algorithm>

namespace fantail::console {

namespace {

std::string open_channel(const json::value& channel) {
  return "route explain " + quote_word(channel.string_or("name", ""));
}

/// What of all that is in memory is the largest.
void tell_largest(const observation& x, finding& out) {
  auto sized = actors_where(x, [](auto& a) { return number(a, "bytes") > 0; });
  std::sort(sized.begin(), sized.end(), [](auto* a, auto* b) {
    return number(*a, "bytes") > number(*b, "bytes");
  });
  constexpr size_t told_max = 2;
  for (size_t i = 0; i < std::min(sized.size(), told_max); ++i)
    out.evidence.push_back(text(*sized[i], "id") + " takes "
                           + bytes_cell(*sized[i], "bytes").text);
}

} // namespace

finding check_hot_channel(const observation& x) {
  finding out{"channels", verdict::good, "", {}, "", "channels --top=cost"};
  auto& all = list(x.hottest, "channels");
  if (all.empty()) {
    out.summary = "none is hot";
    return out;
  }
  auto& hottest = all.front();
  auto is_hot = number(hottest, "cost_share") >= hot_share_warn
                && number(hottest, "cost_per_second") >= hot_cost_least;
  out.is = is_hot ? verdict::notice : verdict::good;
  out.summary = (is_hot ? "hot: \"" : "none is hot; the hottest is \"")
                + text(hottest, "name") + "\" with "
                + share_cell(hottest, "cost_share").text + " of all deliveries";
  out.evidence.push_back(
      rate_cell(hottest, "events_per_second").text + " events to "
      + count_cell(hottest, "fanout").text + " instances make "
      + rate_cell(hottest, "cost_per_second").text + " deliveries, in shard "
      + count_cell(hottest, "shard").text);
  out.target = open_channel(hottest);
  if (is_hot)
    out.advice = "its shard carries that alone; see whether it is the one that "
                 "lags or is busy";
  return out;
}

finding check_large_channel(const observation& x) {
  finding out{"size", verdict::good, "", {}, "", "channels --top=members"};
  auto& all = list(x.largest, "channels");
  if (all.empty()) {
    out.summary = "no channel has members";
    return out;
  }
  auto& largest = all.front();
  out.target = open_channel(largest);
  out.summary = "the largest channel is \"" + text(largest, "name") + "\" with "
                + count_cell(largest, "members").text + " members";
  for (auto& c : all)
    if (number(c, "members") > members_alarm) {
      out.is = verdict::notice;
      out.evidence.push_back("\"" + text(c, "name") + "\" has "
                             + count_cell(c, "members").text + " members on "
                             + count_cell(c, "fanout").text + " instances");
    }
  if (out.is != verdict::good)
    out.advice = "more than 50,000 members: split it into several channels";
  return out;
}

finding check_memory(const observation& x) {
  finding out{"memory", verdict::good, "", {}, "", "actors --top=memory"};
  auto& memory = member(x.after.node, "memory");
  auto& totals = member(x.after.node, "totals");
  auto used = number(memory, "resident_bytes");
  auto limit = number(memory, "limit_bytes");
  auto growth
      = used - number(member(x.before.node, "memory"), "resident_bytes");
  auto share = limit > 0 ? used / limit : 0;
  if (memory.bool_or("is_short", false))
    out.is = verdict::alarm;
  else if (share >= memory_share_warn)
    out.is = verdict::notice;
  out.summary
      = show_bytes(used) + " of " + show_bytes(limit) + " (" + show_share(share)
        + ")" + (out.is == verdict::alarm ? ": new sessions are refused" : "");
  // Less is noise of the allocator.
  if (x.window_seconds > 0 && growth > 8e6)
    out.summary
        += ", growing by " + show_bytes(growth / x.window_seconds) + "/s";
  out.evidence.push_back(count_cell(totals, "users").text + " users online, "
                         + count_cell(totals, "channels").text + " channels");
  int64_t zombies = 0;
  for (auto& s : list(x.after.shards, "presence_shards"))
    zombies += std::max<int64_t>(0, whole(s, "zombies"));
  out.evidence.push_back(show_count(zombies)
                         + " zombies (expired sessions not removed yet)");
  auto cached = number(x.cache, "Memberships");
  auto bound = number(x.cache, "MembershipsMax");
  if (cached >= 0 && bound >= 0) {
    auto is_beyond = cached > bound * 1.05;
    out.evidence.push_back("the cache of offline users holds "
                           + count_cell(x.cache, "Memberships").text + " of "
                           + count_cell(x.cache, "MembershipsMax").text
                           + " memberships, "
                           + bytes_cell(x.cache, "Bytes").text
                           + (is_beyond ? ": beyond its bound" : ""));
    if (is_beyond)
      out.is = std::max(out.is, verdict::notice);
  }
  tell_largest(x, out);
  if (out.is != verdict::good)
    out.advice = "more users and channels than planned: raise "
                 "node.memory-limit or lower presence.cache-memberships; else "
                 "the largest actors tell what grows";
  return out;
}

finding check_losses(const observation& x) {
  finding out{"losses", verdict::good, "", {}, "", "deadletters"};
  auto& totals = member(x.after.node, "totals");
  auto lost = whole(totals, "lost_positions");
  auto dropped = whole(totals, "dropped");
  auto letters = whole(totals, "dead_letters");
  if (lost > 0) {
    out.is = verdict::alarm;
    out.evidence.push_back(show_count(lost) + " events were lost by a stream");
    out.advice = "raise nats.stream-bytes-max or nats.retention";
  }
  if (dropped > 0) {
    out.is = std::max(out.is, verdict::notice);
    out.evidence.push_back(show_count(dropped)
                           + " deliveries were dropped; \"instances\" shows "
                             "of which instance");
  }
  if (letters > 0) {
    out.is = std::max(out.is, verdict::notice);
    out.evidence.push_back(show_count(letters) + " dead letters");
  }
  out.summary = out.is == verdict::good
                    ? "nothing was lost, dropped or refused since the start"
                    : "something was lost, dropped or refused since the start";
  return out;
}

} // namespace fantail::console
