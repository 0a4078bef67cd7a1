// SPDX-License-Identifier: MIT
#include "bench/demo/verifier.hpp"

#include <algorithm>

namespace fantail::demo {

namespace {

/// A channel's membership on one instance changes rarely within the time an
/// event is under way; older intervals cannot matter any more.
constexpr size_t intervals_max = 64;

bool erase_one(std::vector<instance_number>& from, instance_number x) {
  auto i = std::find(from.begin(), from.end(), x);
  if (i == from.end())
    return false;
  from.erase(i);
  return true;
}

} // namespace

verifier::verifier(verifier_config config) : config_(std::move(config)) {
  // nop
}

verifier::channel_state& verifier::at(channel_number channel) {
  auto& result = channels_[channel];
  if (result.links.empty())
    result.links.resize(config_.formats.size());
  return result;
}

verifier::event_state* verifier::find(event_number event) {
  if (event < first_ || event - first_ >= events_.size())
    return nullptr;
  return &events_[event - first_];
}

// -- presence
// --------------------------------------------------------------------

void verifier::join_requested(channel_number channel, instance_number instance,
                              time_point now) {
  auto& x = at(channel).links[instance];
  if (x.possible++ > 0)
    return;
  if (x.intervals.size() == intervals_max)
    x.intervals.erase(x.intervals.begin());
  x.intervals.push_back({now, std::nullopt});
}

void verifier::joined(channel_number channel, instance_number instance) {
  ++at(channel).links[instance].sure;
}

void verifier::join_failed(channel_number channel, instance_number instance,
                           time_point now) {
  close(at(channel).links[instance], now);
}

void verifier::leave_requested(channel_number channel,
                               instance_number instance) {
  auto& state = at(channel);
  if (--state.links[instance].sure > 0)
    return;
  // An event under way may be stored after the leave.
  for (auto number : state.unstored)
    erase_one(find(number)->awaited, instance);
}

void verifier::left(channel_number channel, instance_number instance,
                    time_point now) {
  close(at(channel).links[instance], now);
}

void verifier::close(link& x, time_point now) {
  if (--x.possible == 0)
    x.intervals.back().closed = now;
}

// -- events
// ----------------------------------------------------------------------

event_number verifier::publish_began(channel_number channel,
                                     time_point intended, time_point now) {
  auto number = first_ + events_.size();
  auto& event = events_.emplace_back();
  event.channel = channel;
  event.intended = intended;
  event.began = now;
  auto& state = at(channel);
  for (size_t i = 0; i < state.links.size(); ++i)
    if (state.links[i].sure > 0)
      event.awaited.push_back(static_cast<instance_number>(i));
  state.unstored.push_back(number);
  ++unstored_;
  ++count_.published;
  return number;
}

void verifier::forget_unstored(const event_state& event, event_number number) {
  std::erase(at(event.channel).unstored, number);
  --unstored_;
}

void verifier::stored(event_number number, position pos, time_point now) {
  auto* event = find(number);
  if (!event || event->stored_at || event->failed)
    return;
  forget_unstored(*event, number);
  event->stored_at = now;
  event->pos = pos;
  ++count_.stored;
  incomplete_ += !event->is_complete();
  for (auto instance : event->received)
    compare(at(event->channel).links[instance]);
}

void verifier::publish_failed(event_number number) {
  auto* event = find(number);
  if (!event || event->stored_at || event->failed)
    return;
  forget_unstored(*event, number);
  event->failed = true;
}

void verifier::judge_unexpected(const event_state& event, const link& x,
                                time_point now) {
  auto end = event.stored_at.value_or(now);
  bool is_early = false;
  for (auto& span : x.intervals) {
    if (span.closed.value_or(now) + config_.grace < event.began)
      continue;
    if (span.opened <= end + config_.grace)
      return;
    is_early = true;
  }
  ++(is_early ? count_.early : count_.excess);
}

void verifier::count_repeat(instance_number instance) {
  if (config_.formats[instance] == delivery_format::frame)
    ++count_.repeats_frame;
  else
    ++count_.repeats_single;
}

void verifier::received(event_number number, instance_number instance,
                        time_point now) {
  auto* event = find(number);
  if (!event) {
    count_repeat(instance);
    return;
  }
  auto& seen = event->received;
  if (std::find(seen.begin(), seen.end(), instance) != seen.end()) {
    count_repeat(instance);
    return;
  }
  seen.push_back(instance);
  ++count_.deliveries;
  latency_.record(to_ns(now) - to_ns(event->intended));
  auto& x = at(event->channel).links[instance];
  auto was_complete = event->is_complete();
  auto is_expected = erase_one(event->awaited, instance);
  if (is_expected) {
    ++count_.expected;
    incomplete_ -= event->is_complete() && !was_complete;
  } else {
    judge_unexpected(*event, x, now);
  }
  auto is_frame = config_.formats[instance] == delivery_format::frame;
  x.uncompared.push_back({number, is_expected || is_frame});
  compare(x);
}

void verifier::compare(link& x) {
  while (!x.uncompared.empty()) {
    auto [number, has_order] = x.uncompared.front();
    auto* event = find(number);
    if (event && !event->stored_at && !event->failed)
      return;
    x.uncompared.pop_front();
    if (!event || event->failed)
      continue;
    count_.out_of_order += has_order && event->pos < x.last;
    x.last = std::max(x.last, event->pos);
  }
}

// -- result
// ----------------------------------------------------------------------

void verifier::count_missed(event_state& event) {
  count_.missed += event.awaited.size();
  event.awaited.clear();
  --incomplete_;
}

void verifier::tick(time_point now) {
  while (!events_.empty()) {
    auto& event = events_.front();
    if (!event.failed && !event.stored_at)
      return;
    auto is_overdue
        = event.stored_at && now - *event.stored_at > config_.patience;
    if (!event.is_complete()) {
      if (!is_overdue)
        return;
      count_missed(event);
    }
    if (now - event.began < config_.memory)
      return;
    events_.pop_front();
    ++first_;
  }
}

void verifier::finish() {
  for (auto& event : events_)
    if (event.stored_at && !event.is_complete())
      count_missed(event);
}

} // namespace fantail::demo
