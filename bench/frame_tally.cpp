// SPDX-License-Identifier: MIT
#include "bench/frame_tally.hpp"

#include "core/frame.hpp"

#include <cstring>

namespace fantail::bench {

namespace {

template <class T>
bool take_number(std::string_view& in, T& value) {
  if (in.size() < sizeof value)
    return false;
  std::memcpy(&value, in.data(), sizeof value);
  in.remove_prefix(sizeof value);
  return true;
}

struct raw_section {
  uint16_t shard, flags;
  uint32_t event_count;
  uint64_t epoch, from, to;
  std::string_view events;
};

bool take_section(std::string_view& in, raw_section& x) {
  uint32_t event_bytes;
  if (!take_number(in, x.shard) || !take_number(in, x.flags)
      || !take_number(in, x.event_count) || !take_number(in, x.epoch)
      || !take_number(in, x.from) || !take_number(in, x.to)
      || !take_number(in, event_bytes) || in.size() < event_bytes)
    return false;
  x.events = in.substr(0, event_bytes);
  in.remove_prefix(event_bytes);
  return true;
}

/// Walks the events behind `behind`; returns how many there are.
uint64_t walk_events(const raw_section& section, uint64_t behind,
                     const frame_tally::body_handler& on_body) {
  uint64_t result = 0;
  auto in = section.events;
  for (uint32_t i = 0; i < section.event_count; ++i) {
    uint64_t at;
    uint32_t body_size;
    uint16_t header_size;
    uint8_t channel_size, cls;
    if (!take_number(in, at) || !take_number(in, body_size)
        || !take_number(in, header_size) || !take_number(in, channel_size)
        || !take_number(in, cls))
      break;
    auto before_body = size_t{header_size} + channel_size;
    if (in.size() < before_body + body_size)
      break;
    if (at > behind) {
      ++result;
      if (on_body)
        on_body(in.substr(before_body, body_size));
    }
    in.remove_prefix(before_body + body_size);
  }
  return result;
}

} // namespace

frame_tally::counters&
frame_tally::counters::operator+=(const counters& other) {
  events += other.events;
  repeats += other.repeats;
  gaps += other.gaps;
  lagging += other.lagging;
  malformed += other.malformed;
  return *this;
}

frame_tally::counters frame_tally::take(std::string_view frame,
                                        const body_handler& on_body) {
  counters result;
  uint16_t sections = 0;
  uint16_t reserved = 0;
  auto is_frame = frame.starts_with(frame::magic);
  frame.remove_prefix(is_frame ? frame::magic.size() : 0);
  if (!is_frame || !take_number(frame, sections)
      || !take_number(frame, reserved)) {
    ++result.malformed;
    return result;
  }
  for (uint16_t i = 0; i < sections; ++i) {
    raw_section x;
    if (!take_section(frame, x) || x.shard >= shards_.size()) {
      ++result.malformed;
      return result;
    }
    auto& state = shards_[x.shard];
    result.lagging += (x.flags & frame::lagging) != 0;
    if (!state.is_known || epoch{x.epoch} > state.epoch) {
      // A new owner repeats what it must and skips nothing; the first section
      // after `forget` is where this tally begins.
      auto begins = !state.is_known || x.to < state.at.value
                    || (x.flags & frame::restarted) != 0;
      state
          = {true, false, epoch{x.epoch}, begins ? position{x.from} : state.at};
    }
    if (epoch{x.epoch} < state.epoch || x.to <= state.at.value) {
      result.repeats += x.event_count;
      continue;
    }
    result.gaps += x.from > state.at.value;
    auto is_whole = x.from >= state.at.value;
    auto fresh = is_whole && !on_body ? x.event_count
                                      : walk_events(x, state.at.value, on_body);
    result.events += fresh;
    result.repeats += x.event_count - fresh;
    state.at = position{x.to};
    state.has_moved = true;
  }
  return result;
}

void frame_tally::forget() {
  for (auto& x : shards_)
    x = {};
}

std::vector<std::pair<shard_id, position>> frame_tally::take_moved() {
  std::vector<std::pair<shard_id, position>> result;
  for (uint16_t i = 0; i < shards_.size(); ++i)
    if (std::exchange(shards_[i].has_moved, false))
      result.emplace_back(shard_id{i}, shards_[i].at);
  return result;
}

} // namespace fantail::bench
