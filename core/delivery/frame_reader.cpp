// SPDX-License-Identifier: MIT
#include "core/delivery/frame_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fantail {

// -- sections kept aside
// -------------------------------------------------------

namespace {

size_t payload_bytes(const frame::section& in) {
  size_t result = 0;
  for (auto& event : in.events)
    result += event.channel.size() + event.headers.size() + event.body.size();
  return result;
}

} // namespace

size_t frame_reader::kept_section::cost_of(const frame::section& in) {
  return sizeof(kept_section) + in.events.size() * sizeof(chat_event)
         + payload_bytes(in);
}

frame_reader::kept_section::kept_section(const frame::section& in)
    : section(in), cost(cost_of(in)), bytes(new char[payload_bytes(in)]) {
  auto* at = bytes.get();
  auto own = [&](std::string_view& part) {
    if (!part.empty())
      std::memcpy(at, part.data(), part.size());
    part = {at, part.size()};
    at += part.size();
  };
  for (auto& event : section.events) {
    own(event.channel);
    own(event.headers);
    own(event.body);
  }
}

void frame_reader::keep(shard_state& state, const frame::section& in) {
  auto& header = in.header;
  if (header.from == header.to)
    return;
  auto same = state.kept.find(header.from);
  if (same != state.kept.end()) {
    if (same->second.section.header.to >= header.to)
      return;
    kept_bytes_ -= same->second.cost;
    state.kept.erase(same);
  }
  if (kept_bytes_ + kept_section::cost_of(in) > config_.kept_bytes_max) {
    ++count_.dropped;
    return;
  }
  auto i = state.kept.emplace(header.from, kept_section{in}).first;
  kept_bytes_ += i->second.cost;
}

void frame_reader::release_kept(shard_state& state) {
  for (auto& [from, x] : state.kept)
    kept_bytes_ -= x.cost;
  state.kept.clear();
}

// -- input
// -----------------------------------------------------------------------

void frame_reader::begin(std::span<const start> shards) {
  shards_.clear();
  kept_bytes_ = 0;
  for (auto& x : shards) {
    auto& state = shards_[x.shard];
    state.epoch = x.epoch;
    state.pos = state.acknowledged = state.known_to = x.pos;
    // The positions are of this epoch already, however it began.
    state.restart_taken = true;
  }
}

frame_reader::shard_state* frame_reader::find(shard_id shard) {
  auto i = shards_.find(shard);
  return i == shards_.end() ? nullptr : &i->second;
}

bool frame_reader::accept_epoch(shard_state& state,
                                const frame::section_header& in, sink& out) {
  if (in.epoch < state.epoch) {
    ++count_.refused;
    return false;
  }
  if (in.epoch > state.epoch) {
    state.epoch = in.epoch;
    state.restart_taken = false;
    // A request to the former owner may never be answered.
    state.wait_until.reset();
  }
  if ((in.flags & frame::restarted) == 0 || state.restart_taken)
    return true;
  // Only the flag says that a stream began anew. A new owner also starts
  // below our position, because it starts at what was settled.
  ++count_.restarts;
  state.restart_taken = true;
  out.on_loss({in.shard, state.pos, in.from, true});
  release_kept(state);
  state.pos = state.acknowledged = state.known_to = in.from;
  return true;
}

void frame_reader::deliver(shard_state& state, const frame::section& in,
                           sink& out) {
  out.on_section(in.header);
  for (auto& event : in.events)
    if (event.pos > state.pos) {
      ++count_.events;
      out.on_event(in.header.shard, event);
    }
  state.pos = std::max(state.pos, in.header.to);
}

void frame_reader::advance(shard_state& state, const frame::section& in,
                           sink& out) {
  deliver(state, in, out);
  while (!state.kept.empty() && state.kept.begin()->first <= state.pos) {
    auto node = state.kept.extract(state.kept.begin());
    kept_bytes_ -= node.mapped().cost;
    deliver(state, node.mapped().section, out);
  }
  if (wanted_to(state) <= state.pos)
    state.gap_counted = false;
}

void frame_reader::take(const frame::section& in, sink& out) {
  auto* state = find(in.header.shard);
  if (!state) {
    ++count_.refused;
    return;
  }
  if (!accept_epoch(*state, in.header, out))
    return;
  state->known_to = std::max(state->known_to, in.header.to);
  bool is_lagging = (in.header.flags & frame::lagging) != 0;
  if (in.header.to <= state->pos) {
    count_.repeats += !in.events.empty();
  } else if (in.header.from > state->pos || is_lagging) {
    if (!std::exchange(state->gap_counted, true))
      ++count_.gaps;
    if (!is_lagging)
      keep(*state, in);
  } else {
    advance(*state, in, out);
  }
}

void frame_reader::take_answer(const frame::section& in, time_point now,
                               sink& out) {
  auto* state = find(in.header.shard);
  if (!state)
    return;
  auto before = state->pos;
  state->wait_until.reset();
  take(in, out);
  // An answer that brings nothing must not lead to a request at once, or the
  // two sides would spin.
  if (state->pos == before)
    state->wait_until = now + config_.range_pause;
}

void frame_reader::postpone(shard_id shard, time_point now) {
  if (auto* state = find(shard))
    state->wait_until = now + config_.range_pause;
}

void frame_reader::take_lost(shard_id shard, position first, sink& out) {
  auto* state = find(shard);
  if (!state)
    return;
  state->wait_until.reset();
  auto to = position{first.value > 0 ? first.value - 1 : 0};
  // What is kept aside is not lost, even if the stream has lost it by now.
  if (!state->kept.empty())
    to = std::min(to, state->kept.begin()->first);
  if (to <= state->pos)
    return;
  ++count_.losses;
  out.on_loss({shard, state->pos, to});
  state->known_to = std::max(state->known_to, to);
  frame::section nothing;
  nothing.header = {shard, 0, state->epoch, state->pos, to};
  advance(*state, nothing, out);
}

// -- output
// ----------------------------------------------------------------------

position frame_reader::wanted_to(const shard_state& state) {
  return state.kept.empty() ? state.known_to : state.kept.begin()->first;
}

std::vector<frame_reader::range_request>
frame_reader::take_requests(time_point now) {
  std::vector<range_request> result;
  for (auto& [shard, state] : shards_) {
    auto to = wanted_to(state);
    if (to <= state.pos || (state.wait_until && now < *state.wait_until))
      continue;
    state.wait_until = now + config_.range_timeout;
    ++count_.requests;
    result.push_back({shard, state.pos, to});
  }
  return result;
}

void frame_reader::forget_requests() {
  for (auto& [shard, state] : shards_)
    state.wait_until.reset();
}

std::vector<frame_reader::acknowledgement>
frame_reader::take_acknowledgement() {
  std::vector<acknowledgement> result;
  for (auto& [shard, state] : shards_)
    if (state.acknowledged != state.pos) {
      state.acknowledged = state.pos;
      result.push_back({shard, state.pos});
    }
  return result;
}

std::vector<frame_reader::acknowledgement> frame_reader::positions() const {
  std::vector<acknowledgement> result;
  result.reserve(shards_.size());
  for (auto& [shard, state] : shards_)
    result.push_back({shard, state.pos});
  return result;
}

std::vector<frame_reader::start> frame_reader::starts() const {
  std::vector<start> result;
  result.reserve(shards_.size());
  for (auto& [shard, state] : shards_)
    result.push_back({shard, state.epoch, state.pos});
  return result;
}

bool frame_reader::is_behind(shard_id shard) const {
  auto i = shards_.find(shard);
  return i != shards_.end() && wanted_to(i->second) > i->second.pos;
}

std::optional<std::string_view> frame_reader::check_invariants() const {
  size_t sum = 0;
  for (auto& [shard, state] : shards_) {
    if (!state.kept.empty() && state.kept.begin()->first <= state.pos)
      return "a section kept aside does not begin behind the position";
    if (state.known_to < state.pos)
      return "the position is beyond all that is known to exist";
    for (auto& [from, x] : state.kept)
      sum += x.cost;
  }
  if (sum != kept_bytes_)
    return "the bytes kept aside are miscounted";
  if (sum > config_.kept_bytes_max)
    return "more is kept aside than allowed";
  return std::nullopt;
}

} // namespace fantail
