// SPDX-License-Identifier: MIT
#include "core/delivery/outbox_group.hpp"

#include "core/subject.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fantail {

outbox_group::slot& outbox_group::slot_of(instance_index index) {
  if (slots_.size() <= index.value)
    slots_.resize(index.value + size_t{1});
  return slots_[index.value];
}

shard_position& outbox_group::head_of(shard_id shard) {
  if (heads_.size() <= shard.value)
    heads_.resize(shard.value + size_t{1});
  return heads_[shard.value];
}

const outbox* outbox_group::find(instance_index index) const {
  return index.value < slots_.size() ? slots_[index.value].box.get() : nullptr;
}

outbox_group::drops outbox_group::drops_of(instance_index index) const {
  return index.value < slots_.size() ? slots_[index.value].dropped : drops{};
}

std::vector<shard_position> outbox_group::admit(instance_index index,
                                                instance_profile profile,
                                                const life_start& start) {
  auto& entry = slot_of(index);
  entry.subject
      = subjects::of_instance(subjects::instance_events, profile.name);
  auto known = entry.box && entry.box->profile().format == profile.format
               && entry.box->profile().incarnation == profile.incarnation;
  if (!known) {
    if (!entry.box)
      entry.box = std::make_unique<outbox>(profile, settings_);
    stats_.absent -= entry.box->is_absent() ? 1 : 0;
    entry.box->restart(std::move(profile), heads_, start);
  }
  return entry.box->positions(heads_);
}

void outbox_group::silenced(instance_index index,
                            std::vector<incident>& incidents) {
  auto* box = slot_of(index).box.get();
  if (!box || box->profile().format != delivery_format::frame
      || box->is_lagging())
    return;
  box->begin_lagging();
  note_lagging(index, incidents);
}

void outbox_group::note_lagging(instance_index index,
                                std::vector<incident>& incidents) {
  incidents.push_back({incident::kind::lagging, index});
  ++stats_.lagging_begun;
}

void outbox_group::unheard(instance_index index) {
  if (auto* box = slot_of(index).box.get())
    box->unheard();
}

void outbox_group::ask_soon() {
  for (auto& entry : slots_)
    if (entry.box)
      entry.box->ask_soon();
}

void outbox_group::take_verdict(instance_index index,
                                std::vector<incident>& incidents) {
  auto& entry = slot_of(index);
  auto& box = *entry.box;
  auto was_absent = box.is_absent();
  auto unheard = box.answered();
  stats_.unheard += unheard;
  entry.dropped.unheard += unheard;
  if (was_absent != box.is_absent()) {
    auto what = was_absent ? incident::kind::heard : incident::kind::absent;
    incidents.push_back({what, index});
    stats_.absent += was_absent ? uint64_t(-1) : 1;
  }
  if (box.is_pending())
    mark_dirty(index);
}

void outbox_group::mark_dirty(instance_index index) {
  if (!std::exchange(slot_of(index).is_dirty, true))
    dirty_.push_back(index);
}

std::optional<position> outbox_group::oldest_needed(shard_id shard) const {
  std::optional<position> result;
  for (auto& entry : slots_) {
    auto at = entry.box ? entry.box->acknowledged(shard) : std::nullopt;
    if (at && (!result || *at < *result))
      result = at;
  }
  return result;
}

void outbox_group::set_head(shard_id shard, shard_position head) {
  auto is_anew = head_of(shard).epoch.value > 0;
  head_of(shard) = head;
  for (auto& entry : slots_) {
    if (!entry.box)
      continue;
    if (is_anew)
      entry.box->begin_anew(shard, head.epoch);
    entry.box->rewind(shard, head.epoch, head.at);
  }
}

void outbox_group::accept(delivery x, std::vector<incident>& incidents) {
  push(x, incidents);
  unconfirmed_bytes_ += x.source->byte_count();
  unmarked_bytes_ += x.source->byte_count();
  unmarked_.push_back(std::move(x));
}

void outbox_group::push(const delivery& x, std::vector<incident>& incidents) {
  uint32_t begin = 0;
  for (auto& item : x.targets.items) {
    for (auto i = begin; i < item.end; ++i) {
      auto index = x.targets.instances[i];
      auto& entry = slot_of(index);
      if (!entry.box)
        admit(
            index,
            {std::string{names_.name_of(index)}, delivery_format::single, {}});
      ++stats_.deliveries;
      // What lags takes nothing in; neither does what is dead.
      if (entry.box->is_lagging())
        continue;
      auto dropped
          = entry.box->push({x.source.get(), item.event, x.owner}, x.source);
      for (auto cls : {event_class::important, event_class::best_effort})
        if (auto count = dropped[static_cast<size_t>(cls)])
          incidents.push_back({incident::kind::dropped, index, cls, count});
      for (size_t cls = 0; cls < dropped.size(); ++cls)
        entry.dropped.overflow_by_class[cls] += dropped[cls];
      stats_.dropped_important += dropped[1];
      stats_.dropped_best_effort += dropped[2];
      if (entry.box->is_lagging())
        note_lagging(index, incidents);
      mark_dirty(index);
    }
    begin = item.end;
  }
  auto& head = head_of(x.source->shard);
  head = {x.owner, x.source->to};
}

bool outbox_group::flush(bus_port& out, std::vector<incident>& incidents) {
  auto failed = false;
  std::vector<instance_index> asked;
  flushing_.clear();
  flushing_.swap(dirty_);
  for (auto index : flushing_) {
    auto& entry = slot_of(index);
    entry.is_dirty = false;
    auto was_lagging = entry.box->is_lagging();
    auto done = entry.box->flush(out, entry.subject, index, scratch_);
    if (done.has_asked)
      asked.push_back(index);
    stats_.messages += done.messages;
    stats_.bytes += done.bytes;
    failed = failed || done.link_failed;
    if (!was_lagging && entry.box->is_lagging())
      note_lagging(index, incidents);
  }
  flushed_ = unmarked_.size();
  auto is_time = awaiting_.empty() || !asked.empty()
                 || unmarked_bytes_ >= limits::unmarked_bytes_max;
  if ((unmarked_.empty() && asked.empty()) || !is_time)
    return !failed;
  failed = !out.publish_marker(++last_marker_) || failed;
  awaiting_.push_back({last_marker_, std::exchange(unmarked_, {}),
                       std::exchange(unmarked_bytes_, 0), std::move(asked)});
  flushed_ = 0;
  return !failed;
}

void outbox_group::confirmed(uint64_t marker, std::vector<confirmation>& done,
                             std::vector<incident>& incidents) {
  confirmed_marker_ = std::max(confirmed_marker_, marker);
  while (!awaiting_.empty() && awaiting_.front().marker <= marker) {
    auto& front = awaiting_.front();
    for (auto& x : front.deliveries)
      done.push_back({x.source->shard, x.owner, x.number});
    unconfirmed_bytes_ -= front.bytes;
    for (auto index : front.asked)
      take_verdict(index, incidents);
    awaiting_.pop_front();
  }
}

void outbox_group::rewind(std::vector<incident>& incidents) {
  ++stats_.rewinds;
  std::deque<delivery> again;
  for (auto& x : awaiting_)
    std::move(x.deliveries.begin(), x.deliveries.end(),
              std::back_inserter(again));
  std::move(unmarked_.begin(), unmarked_.end(), std::back_inserter(again));
  awaiting_.clear();
  unmarked_.clear();
  dirty_.clear();
  for (size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].is_dirty = false;
    if (!slots_[i].box)
      continue;
    slots_[i].box->link_lost();
    if (slots_[i].box->is_pending())
      mark_dirty(instance_index{static_cast<uint16_t>(i)});
  }
  // Newest first, so that each shard ends where its oldest delivery begins.
  for (auto i = again.rbegin(); i != again.rend(); ++i)
    for (auto& entry : slots_)
      if (entry.box)
        entry.box->rewind(i->source->shard, i->owner, i->source->from);
  for (auto& x : again)
    push(x, incidents);
  unmarked_ = std::move(again);
  unmarked_bytes_ = unconfirmed_bytes_;
  flushed_ = 0;
}

bool outbox_group::tell_positions(bus_port& out) {
  // What is not published yet comes first.
  if (!dirty_.empty() || flushed_ < unmarked_.size())
    return true;
  for (auto& entry : slots_) {
    if (!entry.box)
      continue;
    auto done = entry.box->tell_positions(heads_, out, entry.subject, scratch_);
    stats_.messages += done.messages;
    stats_.bytes += done.bytes;
    if (done.link_failed)
      return false;
  }
  return true;
}

void outbox_group::acknowledge(instance_index index,
                               std::string_view incarnation, shard_id shard,
                               position at, std::vector<incident>& incidents) {
  if (index.value >= slots_.size() || shard.value >= heads_.size())
    return;
  auto* box = slots_[index.value].box.get();
  if (!box || box->profile().incarnation != incarnation)
    return;
  if (box->acknowledge(shard, at, heads_))
    incidents.push_back({incident::kind::live, index});
}

} // namespace fantail
