// SPDX-License-Identifier: MIT
#include "core/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <numeric>

namespace fantail {

namespace {

/// Half of the 32-bit circle: nearer deadlines compare correctly even after
/// the low bits of the tick have wrapped around.
constexpr uint64_t ticks_ahead_max = uint64_t{1} << 31;

} // namespace

timer_wheel::timer_wheel(time_point start, duration granularity)
    : start_(start), granularity_(std::max(granularity, duration{1})),
      nodes_(heads) {
  assert(granularity > duration::zero());
  for (uint32_t i = 0; i < heads; ++i)
    nodes_[i].prev = nodes_[i].next = i;
}

void timer_wheel::schedule(key k, time_point due) {
  assert(k <= key_max);
  auto index = k + heads;
  if (index >= nodes_.size())
    nodes_.resize(index + 1);
  else
    cancel(k);
  // Ticks are rounded up, so nothing fires early.
  uint64_t tick = tick_ + 1;
  if (due > start_) {
    auto span = due - start_;
    auto whole = static_cast<uint64_t>(span / granularity_);
    auto rounded = whole + (span % granularity_ != duration::zero() ? 1 : 0);
    tick = std::clamp(rounded, tick, tick_ + ticks_ahead_max);
  }
  nodes_[index].due = static_cast<uint32_t>(tick);
  place(index);
}

bool timer_wheel::cancel(key k) {
  if (!is_scheduled(k))
    return false;
  --counts_[level_of(nodes_[k + heads].due)];
  unlink(k + heads);
  return true;
}

bool timer_wheel::is_scheduled(key k) const noexcept {
  auto index = size_t{k} + heads;
  return index < nodes_.size() && nodes_[index].next != loose;
}

void timer_wheel::advance(time_point now, std::vector<key>& out) {
  if (now <= start_)
    return;
  auto target = static_cast<uint64_t>((now - start_) / granularity_);
  while (tick_ < target && !skip(target)) {
    // At every turn of the wheels below, a wheel spreads its next slot over
    // them; what is due right now lands in the slot that fires.
    for (auto level = levels - 1; level > 0; --level)
      if ((tick_ & ((uint64_t{1} << 8 * level) - 1)) == 0)
        cascade(level);
    fire(out);
  }
}

size_t timer_wheel::size() const noexcept {
  return std::accumulate(counts_.begin(), counts_.end(), size_t{0});
}

size_t timer_wheel::byte_count() const noexcept {
  return nodes_.size() * sizeof(node) + sizeof *this;
}

unsigned timer_wheel::level_of(uint32_t due) const noexcept {
  auto difference = due ^ static_cast<uint32_t>(tick_);
  return static_cast<unsigned>(std::bit_width(difference | 1) - 1) / 8;
}

void timer_wheel::place(uint32_t index) {
  auto& x = nodes_[index];
  auto level = level_of(x.due);
  auto head = level * slots + (x.due >> 8 * level) % slots;
  auto& front = nodes_[head];
  x.prev = front.prev;
  x.next = head;
  nodes_[front.prev].next = index;
  front.prev = index;
  ++counts_[level];
}

void timer_wheel::unlink(uint32_t index) {
  auto& x = nodes_[index];
  nodes_[x.prev].next = x.next;
  nodes_[x.next].prev = x.prev;
  x.prev = x.next = loose;
}

/// Spreads the slot of `level` that the current tick has reached over the
/// wheels below.
void timer_wheel::cascade(unsigned level) {
  auto slot = static_cast<uint32_t>(tick_ >> 8 * level) % slots;
  auto head = level * slots + slot;
  while (nodes_[head].next != head) {
    auto index = nodes_[head].next;
    unlink(index);
    --counts_[level];
    place(index);
  }
}

void timer_wheel::fire(std::vector<key>& out) {
  auto head = static_cast<uint32_t>(tick_) % slots;
  while (nodes_[head].next != head) {
    auto index = nodes_[head].next;
    unlink(index);
    --counts_[0];
    out.push_back(index - heads);
  }
}

/// Moves to the next tick at which something may happen, at most to `target`.
/// Returns true if nothing can happen at the tick it stopped at.
bool timer_wheel::skip(uint64_t target) {
  auto full = std::find_if(counts_.begin(), counts_.end(),
                           [](size_t count) { return count > 0; });
  if (full == counts_.end()) {
    tick_ = target;
    return true;
  }
  // With nothing in the lower wheels, nothing happens before they have turned
  // around once.
  auto shift = 8 * (full - counts_.begin());
  auto next = ((tick_ >> shift) + 1) << shift;
  tick_ = std::min(next, target);
  return next > target;
}

std::optional<std::string> timer_wheel::check_invariants() const {
  std::array<size_t, levels> counts{};
  for (uint32_t head = 0; head < heads; ++head)
    for (auto i = nodes_[head].next; i != head; i = nodes_[i].next) {
      auto& x = nodes_[i];
      auto level = head / slots;
      ++counts[level];
      if (nodes_[x.next].prev != i)
        return "a list is torn";
      if (level_of(x.due) != level
          || (x.due >> 8 * level) % slots != head % slots)
        return "a deadline hangs in the wrong slot";
      auto ahead = x.due - static_cast<uint32_t>(tick_);
      if (ahead == 0 || ahead > ticks_ahead_max)
        return "a deadline lies in the past";
    }
  return counts == counts_ ? std::nullopt
                           : std::optional<std::string>{"a count is wrong"};
}

} // namespace fantail
