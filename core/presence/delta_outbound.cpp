// SPDX-License-Identifier: MIT
#include "core/presence/delta_outbound.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace fantail {

delta_outbound::delta_outbound(presence_shard_id from, uint16_t shards)
    : from_(from), shards_(shards) {
  assert(shards > 0 && shards <= limits::shards_max);
}

void delta_outbound::add(shard_id to, user_change change) {
  assert(to.value < shards_.size());
  auto& x = shards_[to.value];
  if (x.open.changes.empty())
    ++unapplied_;
  x.open_channels += change.channels.size();
  x.open.changes.push_back(std::move(change));
  if (x.open.changes.size() >= limits::delta_changes_max
      || x.open_channels >= delta_channels_max)
    cut(x, to);
}

void delta_outbound::expect(uint64_t shards, std::string reply_to,
                            presence_answer answer) {
  assert(shards_.size() == limits::shards_max
         || (shards >> shards_.size()) == 0);
  auto waits_for_drained = answer.what == presence_answer::status::left;
  if (answer.what == presence_answer::status::rejected)
    shards = 0;
  auto id = next_answer_++;
  auto& pending = pending_[id];
  pending.due = {std::move(reply_to), std::move(answer)};
  for (; shards != 0; shards &= shards - 1) {
    auto shard = shard_id{static_cast<uint16_t>(std::countr_zero(shards))};
    auto& x = shards_[shard.value];
    auto number = x.cut + (x.open.changes.empty() ? 0 : 1);
    auto reached = waits_for_drained ? x.drained : x.applied;
    auto at = waits_for_drained ? x.drained_at : x.applied_at;
    // The position of a shard that was waited for is filled in when it comes.
    pending.due.answer.positions.emplace_back(shard, at);
    if (number <= reached)
      continue;
    ++pending.shards_left;
    auto& line = waits_for_drained ? x.drained_line : x.applied_line;
    line.push_back({number, id});
  }
  if (pending.shards_left == 0)
    finish(id);
}

void delta_outbound::take_deltas(std::vector<presence_delta_ptr>& out) {
  for (size_t i = 0; i < shards_.size(); ++i) {
    auto& x = shards_[i];
    if (!x.open.changes.empty())
      cut(x, shard_id{static_cast<uint16_t>(i)});
    auto fresh = static_cast<std::ptrdiff_t>(x.cut - x.handed_out);
    out.insert(out.end(), x.kept.end() - fresh, x.kept.end());
    x.handed_out = x.cut;
  }
}

void delta_outbound::tell_reached() {
  for (size_t i = 0; i < shards_.size(); ++i) {
    auto& x = shards_[i];
    if (!x.open.changes.empty() || x.log == reached_)
      continue;
    ++unapplied_;
    cut(x, shard_id{static_cast<uint16_t>(i)});
  }
}

bool delta_outbound::has_deltas() const noexcept {
  return std::any_of(shards_.begin(), shards_.end(), [](auto& x) {
    return !x.open.changes.empty() || x.handed_out < x.cut;
  });
}

bool delta_outbound::applied(shard_id from, uint64_t number, position at) {
  if (from.value >= shards_.size() || number > shards_[from.value].handed_out)
    return false;
  auto& x = shards_[from.value];
  if (number < x.applied)
    return true;
  auto count = number - x.applied;
  x.kept.erase(x.kept.begin(),
               x.kept.begin() + static_cast<std::ptrdiff_t>(count));
  unapplied_ -= count;
  x.applied = number;
  x.applied_at = at;
  serve(x.applied_line, number, from, at);
  return true;
}

bool delta_outbound::drained(shard_id from, uint64_t number, position at) {
  if (from.value >= shards_.size() || number > shards_[from.value].applied)
    return false;
  auto& x = shards_[from.value];
  if (number < x.drained)
    return true;
  x.drained = number;
  x.drained_at = at;
  serve(x.drained_line, number, from, at);
  return true;
}

void delta_outbound::take_answers(std::vector<due_answer>& out) {
  std::move(due_.begin(), due_.end(), std::back_inserter(out));
  due_.clear();
}

bool delta_outbound::resend(shard_id to, uint64_t behind,
                            std::vector<presence_delta_ptr>& out) const {
  if (to.value >= shards_.size())
    return false;
  auto& x = shards_[to.value];
  if (behind < x.applied || behind > x.handed_out)
    return false;
  auto first = x.kept.begin() + static_cast<std::ptrdiff_t>(behind - x.applied);
  auto last = x.kept.end() - static_cast<std::ptrdiff_t>(x.cut - x.handed_out);
  out.insert(out.end(), first, last);
  return true;
}

uint64_t delta_outbound::applied_number(shard_id shard) const {
  return shard.value < shards_.size() ? shards_[shard.value].applied : 0;
}

uint64_t delta_outbound::drained_number(shard_id shard) const {
  return shard.value < shards_.size() ? shards_[shard.value].drained : 0;
}

/// Ends the delta being collected for `to`.
void delta_outbound::cut(outbound_shard& x, shard_id to) {
  x.open.from = from_;
  x.open.to = to;
  x.open.number = ++x.cut;
  x.open.log = x.log = reached_;
  x.kept.push_back(std::make_shared<presence_delta>(std::move(x.open)));
  x.open = {};
  x.open_channels = 0;
}

/// Lets everyone in `line` pass who waited for `number` or an earlier delta.
void delta_outbound::serve(std::deque<waiting>& line, uint64_t number,
                           shard_id shard, position at) {
  while (!line.empty() && line.front().number <= number) {
    auto id = line.front().answer;
    line.pop_front();
    auto& pending = pending_.at(id);
    for (auto& [where, reached] : pending.due.answer.positions)
      if (where == shard)
        reached = at;
    if (--pending.shards_left == 0)
      finish(id);
  }
}

void delta_outbound::finish(answer_id id) {
  auto i = pending_.find(id);
  due_.push_back(std::move(i->second.due));
  pending_.erase(i);
}

std::optional<std::string> delta_outbound::check_invariants() const {
  size_t unapplied = 0, waiting_count = 0, shards_left = 0;
  for (auto& x : shards_) {
    if (x.drained > x.applied || x.applied > x.handed_out
        || x.handed_out > x.cut)
      return "a shard is ahead of what it was given";
    if (x.kept.size() != x.cut - x.applied)
      return "the kept deltas are not those unapplied";
    for (size_t i = 0; i < x.kept.size(); ++i)
      if (x.kept[i]->number != x.applied + i + 1)
        return "the kept deltas are not numbered without gaps";
    unapplied += x.kept.size() + (x.open.changes.empty() ? 0 : 1);
    auto reaches = [](auto& line, uint64_t reached) {
      for (auto& one : line)
        if (one.number < std::exchange(reached, one.number))
          return true;
      return false;
    };
    if (reaches(x.applied_line, x.applied + 1)
        || reaches(x.drained_line, x.drained + 1))
      return "an answer waits for what has come, or out of line";
    waiting_count += x.applied_line.size() + x.drained_line.size();
  }
  if (unapplied != unapplied_)
    return "the unapplied deltas do not add up";
  for (auto& [id, pending] : pending_)
    shards_left += pending.shards_left;
  return waiting_count == shards_left
             ? std::nullopt
             : std::optional<std::string>{"an answer waits in too many lines"};
}

} // namespace fantail
