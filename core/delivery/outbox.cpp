// SPDX-License-Identifier: MIT
#include "core/delivery/outbox.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace fantail {

namespace {

size_t index_of(event_class x) {
  return static_cast<size_t>(x);
}

} // namespace

outbox::outbox(instance_profile profile, outbox_config settings)
    : profile_(std::move(profile)), settings_(settings) {
  // nop
}

shard_position& outbox::told(shard_id shard) {
  if (told_.size() <= shard.value) {
    told_.resize(shard.value + size_t{1});
    former_.resize(shard.value + size_t{1});
    acknowledged_.resize(shard.value + size_t{1});
  }
  return told_[shard.value];
}

shard_position& outbox::told(const entry& x) {
  auto& last = told(x.source->shard);
  if (x.epoch < last.epoch)
    return former_[x.source->shard.value];
  last.epoch = x.epoch;
  return last;
}

uint16_t outbox::flags_of(shard_id shard, fantail::epoch epoch) const noexcept {
  auto is_anew = shard.value < anew_.size() && anew_[shard.value].value > 0
                 && anew_[shard.value] <= epoch;
  return is_anew ? frame::restarted : 0;
}

void outbox::begin_anew(shard_id shard, fantail::epoch epoch) {
  if (anew_.size() <= shard.value)
    anew_.resize(shard.value + size_t{1});
  if (anew_[shard.value].value == 0)
    anew_[shard.value] = epoch;
}

bool outbox::is_full() const noexcept {
  return pending_bytes_ > settings_.bytes_max
         || live_entries_ > settings_.events_max;
}

std::array<uint32_t, 3> outbox::push(const entry& x, const pull_ptr& source) {
  std::array<uint32_t, 3> dropped{};
  if (is_lagging_)
    return dropped;
  // Its pull may be confirmed before the verdict is in.
  if ((is_absent_ || is_asking_) && (kept_.empty() || kept_.back() != source))
    kept_.push_back(source);
  auto cls = x.source->class_of(x.event);
  pending_.push_back(x);
  ++live_entries_;
  ++pending_by_class_[index_of(cls)];
  pending_bytes_ += x.source->event_bytes(x.event);
  while (is_full()) {
    if (drop_oldest(event_class::best_effort)) {
      ++dropped[index_of(event_class::best_effort)];
    } else if (drop_oldest(event_class::important)) {
      ++dropped[index_of(event_class::important)];
    } else {
      // Only critical events are left. A `frame` instance can fetch them
      // later; for `single` the unsettled pulls are the bound.
      if (is_frame())
        begin_lagging();
      break;
    }
  }
  return dropped;
}

bool outbox::drop_oldest(event_class cls) {
  if (pending_by_class_[index_of(cls)] == 0)
    return false;
  auto i = std::find_if(pending_.begin(), pending_.end(), [cls](auto& x) {
    return x.source && x.source->class_of(x.event) == cls;
  });
  assert(i != pending_.end());
  take_out(*i);
  return true;
}

void outbox::take_out(entry& x) {
  pending_bytes_ -= x.source->event_bytes(x.event);
  --live_entries_;
  --pending_by_class_[index_of(x.source->class_of(x.event))];
  x.source = nullptr;
}

void outbox::forget_pending() {
  pending_.clear();
  kept_.clear();
  asked_entries_ = 0;
  pending_by_class_ = {};
  live_entries_ = 0;
  pending_bytes_ = 0;
}

void outbox::begin_lagging() {
  forget_pending();
  is_lagging_ = true;
}

outbox::flushed outbox::flush(bus_port& out, const std::string& subject,
                              instance_index index, frame::writer& scratch) {
  if (!is_frame())
    return flush_single(out, subject, index);
  auto result = flush_frames(out, subject, scratch);
  forget_pending();
  if (window_bytes_ > settings_.window_bytes_max)
    begin_lagging();
  return result;
}

outbox::flushed outbox::flush_frames(bus_port& out, const std::string& subject,
                                     frame::writer& scratch) {
  flushed result;
  scratch.clear();
  const pull* open = nullptr;
  shard_position* told_last = nullptr;
  size_t section_begin = 0;
  // A section ends where its pull ends: every event of this instance up to
  // there is pending now.
  auto close_section = [&](position to) {
    scratch.extend_section(to);
    told_last->at = to;
    note_section(open->shard, to, scratch.byte_count() - section_begin);
    open = nullptr;
  };
  for (auto& x : pending_) {
    if (!x.source)
      continue;
    auto event = (*x.source)[x.event];
    if (open != nullptr && open != x.source)
      close_section(open->to);
    auto full = !scratch.empty()
                && scratch.byte_count() + frame::encoded_size(event)
                           + (open ? 0 : frame::section_header_bytes)
                       > settings_.frame_bytes_max;
    if (full) {
      // The events of this pull so far reach up to just before this one.
      if (open != nullptr)
        close_section(position{event.pos.value - 1});
      if (!publish_frame(out, subject, scratch, result))
        return result;
    }
    if (open == nullptr) {
      auto shard = x.source->shard;
      told_last = &told(x);
      section_begin = scratch.byte_count();
      // A section never begins behind its first event, not even in an epoch
      // that ended so long ago that nobody knows what was told in it.
      auto from = std::min(told_last->at, position{event.pos.value - 1});
      scratch.begin_section(
          {shard, flags_of(shard, x.epoch), x.epoch, from, x.source->to});
      open = x.source;
    }
    scratch.add(event);
  }
  if (open != nullptr)
    close_section(open->to);
  if (!scratch.empty())
    publish_frame(out, subject, scratch, result);
  return result;
}

bool outbox::publish_frame(bus_port& out, const std::string& subject,
                           frame::writer& scratch, flushed& result) {
  auto bytes = scratch.finish();
  result.link_failed = !out.publish(subject, bytes, {});
  ++result.messages;
  result.bytes += bytes.size();
  scratch.clear();
  return !result.link_failed;
}

void outbox::note_section(shard_id shard, position to, size_t bytes) {
  window_.push_back({shard, to, bytes});
  window_bytes_ += bytes;
}

outbox::flushed outbox::tell_positions(const std::vector<shard_position>& heads,
                                       bus_port& out,
                                       const std::string& subject,
                                       frame::writer& scratch) {
  flushed result;
  if (!is_frame() || profile_.incarnation.empty())
    return result;
  assert(!is_pending());
  scratch.clear();
  for (size_t i = 0; i < heads.size(); ++i) {
    auto shard = shard_id{static_cast<uint16_t>(i)};
    auto& head = heads[i];
    auto& last = told(shard);
    if (is_lagging_) {
      // Who learns from it that the stream began anew has to start there.
      auto anew = flags_of(shard, head.epoch);
      auto flags = static_cast<uint16_t>(frame::lagging | anew);
      scratch.begin_section(
          {shard, flags, head.epoch, anew ? position{} : head.at, head.at});
    } else if (last.at < head.at || last.epoch < head.epoch) {
      auto from = std::min(last.at, head.at);
      auto begin = scratch.byte_count();
      last = head;
      scratch.begin_section(
          {shard, flags_of(shard, head.epoch), head.epoch, from, head.at});
      note_section(shard, head.at, scratch.byte_count() - begin);
    } else if (owes_heads_ && acknowledged_[i] < head.at) {
      // It shows the gap up to here, even if the shard is quiet from now on.
      scratch.begin_section(
          {shard, flags_of(shard, head.epoch), head.epoch, head.at, head.at});
    }
  }
  owes_heads_ = false;
  if (!scratch.empty())
    publish_frame(out, subject, scratch, result);
  return result;
}

void outbox::restart(instance_profile profile,
                     const std::vector<shard_position>& heads,
                     const life_start& start) {
  // A life in another format has acknowledged nothing.
  auto resumes = start.resumes && is_frame();
  profile_ = std::move(profile);
  std::vector<position> begins;
  uint64_t behind = 0;
  for (size_t i = 0; i < heads.size(); ++i) {
    begins.push_back(start_of(i, heads[i], start, resumes));
    behind = std::max(behind, heads[i].at.value - begins[i].value);
  }
  forget_pending();
  is_absent_ = is_asking_ = was_unheard_ = false;
  window_.clear();
  window_bytes_ = 0;
  told_ = heads;
  former_.assign(heads.size(), {});
  acknowledged_ = std::move(begins);
  // What lies between is a gap that it sees in the first section of a shard.
  has_resumed_ = owes_heads_ = behind > 0;
  is_lagging_ = behind > limits::resume_positions;
}

position outbox::start_of(size_t shard, shard_position head,
                          const life_start& start, bool resumes) const {
  // Who cannot ask for ranges begins where things are, whatever it names.
  if (!is_frame())
    return head.at;
  if (shard < start.kept.size() && start.kept[shard]) {
    auto& x = *start.kept[shard];
    auto began_anew
        = flags_of(shard_id{static_cast<uint16_t>(shard)}, head.epoch) != 0
          && x.epoch < anew_[shard];
    if (began_anew)
      return position{};
    // A position beyond the head is one of a stream that is gone.
    return x.epoch <= head.epoch ? std::min(x.at, head.at) : head.at;
  }
  if (resumes && shard < acknowledged_.size())
    return std::min(acknowledged_[shard], head.at);
  return head.at;
}

std::vector<shard_position>
outbox::positions(const std::vector<shard_position>& heads) const {
  auto result = heads;
  if (has_resumed_)
    for (size_t i = 0; i < result.size() && i < acknowledged_.size(); ++i)
      result[i].at = std::min(result[i].at, acknowledged_[i]);
  return result;
}

std::optional<position> outbox::acknowledged(shard_id shard) const {
  if (!is_frame() || profile_.incarnation.empty()
      || shard.value >= acknowledged_.size())
    return std::nullopt;
  return acknowledged_[shard.value];
}

bool outbox::acknowledge(shard_id shard, position at,
                         const std::vector<shard_position>& heads) {
  told(shard);
  auto& known = acknowledged_[shard.value];
  known = std::max(known, at);
  while (!window_.empty()
         && window_.front().to <= acknowledged_[window_.front().shard.value]) {
    window_bytes_ -= window_.front().bytes;
    window_.pop_front();
  }
  if (!is_lagging_)
    return false;
  for (size_t i = 0; i < heads.size(); ++i) {
    told(shard_id{static_cast<uint16_t>(i)});
    auto behind = heads[i].at.value > acknowledged_[i].value
                      ? heads[i].at.value - acknowledged_[i].value
                      : 0;
    if (behind > limits::resume_positions)
      return false;
  }
  // What lies between the instance and the heads is a gap it sees in the next
  // section and asks for.
  is_lagging_ = false;
  owes_heads_ = true;
  window_.clear();
  window_bytes_ = 0;
  told_ = heads;
  return true;
}

void outbox::rewind(shard_id shard, fantail::epoch epoch, position from) {
  auto& last = told(shard);
  if (epoch < last.epoch) {
    auto& former = former_[shard.value];
    former.at = std::min(former.at, from);
    return;
  }
  if (last.epoch == epoch) {
    last.at = std::min(last.at, from);
    return;
  }
  former_[shard.value] = std::exchange(last, {epoch, from});
  acknowledged_[shard.value] = from;
  // Positions of the new life will not acknowledge sections of the old one.
  std::erase_if(window_, [&](auto& x) {
    if (x.shard == shard)
      window_bytes_ -= x.bytes;
    return x.shard == shard;
  });
}

} // namespace fantail
