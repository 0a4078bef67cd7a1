// SPDX-License-Identifier: MIT
#include "core/membership/store_ledger.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

bool store_ledger::append(const record& x) {
  if (x.sequence <= newest_)
    return false;
  newest_ = x.sequence;
  records_.push_back(x);
  stream_bytes_ += x.bytes;
  return true;
}

bool store_ledger::put(user_handle user, place at) {
  if (!append({at.sequence, at.bytes, user.value}))
    return false;
  set_place(user, at);
  return true;
}

bool store_ledger::claim(user_handle user, place at) {
  auto i
      = std::ranges::lower_bound(records_, at.sequence, {}, &record::sequence);
  if (is_settled_ || i == records_.end() || i->sequence != at.sequence
      || is_live(*i))
    return false;
  i->user = user.value;
  set_place(user, {i->sequence, i->bytes});
  return true;
}

void store_ledger::settle() {
  is_settled_ = true;
  skip_dead();
}

void store_ledger::set_place(user_handle user, place at) {
  if (user.value >= places_.size())
    places_.resize(user.value + size_t{1});
  // The new record is never without its user, or it would be skipped as dead.
  auto before = std::exchange(places_[user.value], at);
  live_ += before ? 0 : 1;
  live_bytes_ += at.bytes;
  live_bytes_ -= before.bytes;
  skip_dead();
}

bool store_ledger::put_dead(place at) {
  auto result = append({at.sequence, at.bytes, nobody});
  skip_dead();
  return result;
}

void store_ledger::drop(user_handle user) {
  auto at = find(user);
  if (!at)
    return;
  --live_;
  live_bytes_ -= at.bytes;
  places_[user.value] = {};
  skip_dead();
}

void store_ledger::skip_dead() {
  if (!is_settled_)
    return;
  for (; dead_ahead_ < records_.size() && !is_live(records_[dead_ahead_]);
       ++dead_ahead_)
    dead_ahead_bytes_ += records_[dead_ahead_].bytes;
}

void store_ledger::list_movable(uint64_t bytes_max,
                                std::vector<candidate>& out) const {
  if (!is_settled_)
    return;
  // What only waits to be purged is as good as gone.
  auto stream = stream_bytes_ - dead_ahead_bytes_;
  uint64_t bytes = 0;
  for (auto i = dead_ahead_;
       i < records_.size() && stream > 2 * live_bytes_ + slack_bytes_; ++i) {
    auto& x = records_[i];
    stream -= x.bytes;
    if (!is_live(x))
      continue;
    bytes += x.bytes;
    if (bytes > bytes_max && !out.empty())
      return;
    // It is appended again.
    stream += x.bytes;
    out.push_back({user_handle{x.user}, {x.sequence, x.bytes}});
  }
}

uint64_t store_ledger::purgeable(uint64_t bytes_min) const noexcept {
  if (dead_ahead_ == 0 || dead_ahead_bytes_ < bytes_min)
    return 0;
  // The newest record stays even if it is dead: an empty stream tells less.
  return dead_ahead_ < records_.size() ? records_[dead_ahead_].sequence
                                       : newest_;
}

void store_ledger::purged(uint64_t sequence) {
  while (dead_ahead_ > 0 && records_.front().sequence < sequence) {
    stream_bytes_ -= records_.front().bytes;
    dead_ahead_bytes_ -= records_.front().bytes;
    records_.pop_front();
    --dead_ahead_;
  }
}

size_t store_ledger::byte_count() const noexcept {
  return sizeof *this + places_.capacity() * sizeof(place)
         + records_.size() * sizeof(record);
}

std::optional<std::string> store_ledger::check_invariants() const {
  uint64_t live = 0, live_bytes = 0, stream_bytes = 0, ahead_bytes = 0;
  uint64_t before = 0;
  for (size_t i = 0; i < records_.size(); ++i) {
    auto& x = records_[i];
    if (x.sequence <= before || x.sequence > newest_)
      return "the records are not in order";
    before = x.sequence;
    stream_bytes += x.bytes;
    if (i < dead_ahead_)
      ahead_bytes += x.bytes;
    if (!is_live(x))
      continue;
    if (i < dead_ahead_)
      return "a live record is to be purged";
    if (places_[x.user].bytes != x.bytes)
      return "a place has another size than its record";
    ++live;
    live_bytes += x.bytes;
  }
  uint64_t places = 0;
  for (auto& x : places_)
    places += x ? 1 : 0;
  if (places != live || live != live_)
    return "a user's place is no record";
  if (live_bytes != live_bytes_ || stream_bytes != stream_bytes_
      || ahead_bytes != dead_ahead_bytes_)
    return "the bytes do not add up";
  return std::nullopt;
}

} // namespace fantail
