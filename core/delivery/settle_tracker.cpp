// SPDX-License-Identifier: MIT
#include "core/delivery/settle_tracker.hpp"

namespace fantail {

bool settle_tracker::opened(uint64_t number, position to, uint64_t groups,
                            size_t bytes) {
  if (number != next_number() || to < opened_to())
    return false;
  open_.push_back({to, groups, bytes});
  bytes_ += bytes;
  settle_prefix();
  return true;
}

bool settle_tracker::confirmed(uint64_t number, unsigned group) {
  if (number < first_ || number >= next_number() || group >= groups_max)
    return false;
  open_[number - first_].groups &= ~(uint64_t{1} << group);
  return settle_prefix();
}

bool settle_tracker::settle_prefix() {
  auto before = settled_;
  while (!open_.empty() && open_.front().groups == 0) {
    settled_ = open_.front().to;
    bytes_ -= open_.front().bytes;
    open_.pop_front();
    ++first_;
  }
  return settled_ != before;
}

std::optional<std::string> settle_tracker::check_invariants() const {
  auto last = settled_;
  size_t bytes = 0;
  for (auto& x : open_) {
    if (x.to < last)
      return "a pull ends before the one in front of it";
    last = x.to;
    bytes += x.bytes;
  }
  if (!open_.empty() && open_.front().groups == 0)
    return "the oldest open pull waits for nobody";
  if (bytes != bytes_)
    return "the unsettled bytes do not add up";
  return std::nullopt;
}

} // namespace fantail
