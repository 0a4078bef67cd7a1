// SPDX-License-Identifier: MIT
#include "core/instance_watch.hpp"

#include <algorithm>

namespace fantail {

namespace {

/// Ticks come every few milliseconds. If one is later than this, the process
/// stood still and has heard nobody.
constexpr duration tick_gap_max = std::chrono::seconds{1};

} // namespace

instance_watch::entry& instance_watch::entry_of(instance_index index) {
  if (entries_.size() <= index.value)
    entries_.resize(index.value + size_t{1});
  return entries_[index.value];
}

void instance_watch::revive(entry& x) {
  dead_ -= x.is_dead ? 1 : 0;
  x.is_dead = false;
}

void instance_watch::admitted(instance_index index, delivery_format format,
                              time_point now) {
  auto& x = entry_of(index);
  revive(x);
  x.heard = now;
  x.is_known = true;
  x.is_watched = format == delivery_format::frame;
}

void instance_watch::left(instance_index index) {
  auto& x = entry_of(index);
  revive(x);
  x.is_known = false;
  x.is_watched = false;
}

bool instance_watch::heard(instance_index index, time_point now) {
  auto& x = entry_of(index);
  // A word may be handled before the tick that shows an outage.
  auto since = is_paused_ ? paused_at_
               : ticked_ == time_point{}
                   ? now
                   : std::min(now, ticked_ + tick_gap_max);
  if (x.is_known && since - x.heard >= settings_.ttl)
    ++x.lapses;
  x.heard = now;
  x.is_known = true;
  auto was_dead = x.is_dead;
  revive(x);
  return was_dead;
}

void instance_watch::tick(time_point now, std::vector<instance_index>& died) {
  if (ticked_ != time_point{} && now - ticked_ > tick_gap_max && !is_paused_)
    forgive(now - ticked_);
  ticked_ = now;
  if (is_paused_)
    return;
  for (size_t i = 0; i < entries_.size(); ++i) {
    auto& x = entries_[i];
    if (!x.is_watched || x.is_dead || now - x.heard < settings_.silence)
      continue;
    x.is_dead = true;
    ++dead_;
    died.push_back(instance_index{static_cast<uint16_t>(i)});
  }
}

void instance_watch::pause(time_point now) {
  if (is_paused_)
    return;
  is_paused_ = true;
  paused_at_ = now;
}

void instance_watch::resume(time_point now) {
  if (!is_paused_)
    return;
  is_paused_ = false;
  ticked_ = now;
  forgive(now - paused_at_);
}

void instance_watch::forgive(duration outage) {
  for (auto& x : entries_)
    if (x.is_known)
      x.heard += outage;
}

bool instance_watch::is_dead(instance_index index) const noexcept {
  return index.value < entries_.size() && entries_[index.value].is_dead;
}

uint32_t instance_watch::lapses(instance_index index) const noexcept {
  return index.value < entries_.size() ? entries_[index.value].lapses : 0;
}

} // namespace fantail
