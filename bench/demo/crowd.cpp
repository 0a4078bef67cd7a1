// SPDX-License-Identifier: MIT
#include "bench/demo/crowd.hpp"

#include <utility>

namespace fantail::demo {

void crowd::enter(uint32_t user, uint32_t channel, std::vector<action>& out) {
  auto& someone = people_[user];
  someone.channels[channel].at = stage::joining;
  auto is_online = std::exchange(someone.is_online, true);
  online_ += !is_online;
  auto what = is_online ? action::kind::join : action::kind::online;
  out.push_back({what, channel, user, 0, {}});
}

void crowd::begin_leave(uint32_t user, uint32_t channel, membership& x,
                        std::vector<action>& out) {
  x.at = stage::leaving;
  --memberships_;
  out.push_back({action::kind::leave, channel, user, 0, {}});
}

void crowd::take(const trace_row& row, time_point now,
                 std::vector<action>& out) {
  auto& channels = people_[row.user].channels;
  auto i = channels.find(row.channel);
  if (row.what == trace_row::kind::leave) {
    if (i == channels.end())
      return;
    i->second.is_wanted = false;
    if (i->second.at == stage::member)
      begin_leave(row.user, row.channel, i->second, out);
    return;
  }
  if (i == channels.end()) {
    enter(row.user, row.channel, out);
    i = channels.find(row.channel);
  }
  auto& x = i->second;
  x.is_wanted = true;
  if (row.what != trace_row::kind::message)
    return;
  if (x.at == stage::member) {
    out.push_back(
        {action::kind::publish, row.channel, row.user, row.bytes, now});
  } else {
    x.waiting.push_back(row.bytes);
    ++held_back_;
  }
}

void crowd::answered(const action& change, bool succeeded, time_point now,
                     std::vector<action>& out) {
  auto& channels = people_[change.user].channels;
  auto i = channels.find(change.channel);
  if (i == channels.end())
    return;
  auto& x = i->second;
  if (change.what == action::kind::leave) {
    // Who came back meanwhile and spoke joins again, if only to speak.
    if (x.is_wanted || !x.waiting.empty())
      enter(change.user, change.channel, out);
    else
      drop(change.user, change.channel, out);
  } else if (succeeded) {
    after_join(change, x, now, out);
  } else {
    held_back_ -= x.waiting.size();
    drop(change.user, change.channel, out);
  }
}

void crowd::after_join(const action& change, membership& x, time_point now,
                       std::vector<action>& out) {
  x.at = stage::member;
  ++memberships_;
  held_back_ -= x.waiting.size();
  for (auto bytes : std::exchange(x.waiting, {}))
    out.push_back(
        {action::kind::publish, change.channel, change.user, bytes, now});
  if (!x.is_wanted)
    begin_leave(change.user, change.channel, x, out);
}

void crowd::drop(uint32_t user, uint32_t channel, std::vector<action>& out) {
  auto& someone = people_[user];
  someone.channels.erase(channel);
  if (!someone.channels.empty())
    return;
  people_.erase(user);
  --online_;
  out.push_back({action::kind::offline, 0, user, 0, {}});
}

} // namespace fantail::demo
