// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace fantail {

/// Knows how far a shard is settled: delivered as far as Fantail promises. A
/// pull is open in every egress group that has a part of it to deliver, and
/// settles when the last of them confirmed and all pulls before it have
/// settled. Groups confirm in any order, and as often as they like. Not thread
/// safe.
///
/// Invariants: (1) pulls are numbered without gaps and their positions never
/// fall; (2) the oldest open pull waits for at least one group;
/// (3) unsettled_bytes() is the sum over all open pulls.
class settle_tracker {
public:
  static constexpr unsigned groups_max = 64;

  /// Everything up to `start` counts as settled; the first pull is number 1.
  explicit settle_tracker(position start) : settled_(start) {}

  /// A mask of the first `count` groups.
  static constexpr uint64_t first_groups(unsigned count) {
    return count >= groups_max ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
  }

  /// Pull `number` was routed: it reaches up to `to`, weighs `bytes`, and bit
  /// g of `groups` says that group g has a part of it. A pull without any
  /// group settles as soon as those before it have. Returns false, and does
  /// nothing, unless `number` is the one after the last and `to` does not fall.
  bool opened(uint64_t number, position to, uint64_t groups, size_t bytes);

  /// Group `group` delivered its part of pull `number`. Returns true if that
  /// moved settled(). A repeat, or a pull that was never open, is ignored.
  bool confirmed(uint64_t number, unsigned group);

  /// The end of the contiguous prefix of settled pulls.
  position settled() const noexcept { return settled_; }

  /// Where the newest pull ends.
  position opened_to() const noexcept {
    return open_.empty() ? settled_ : open_.back().to;
  }

  /// The number the next pull must have.
  uint64_t next_number() const noexcept { return first_ + open_.size(); }

  /// Pulls and bytes behind settled(), whether confirmed out of order or not.
  size_t unsettled_pulls() const noexcept { return open_.size(); }
  size_t unsettled_bytes() const noexcept { return bytes_; }

  /// The groups the oldest open pull waits for: who holds the shard up.
  uint64_t blocking_groups() const noexcept {
    return open_.empty() ? 0 : open_.front().groups;
  }

  /// What is wrong with the state, or nothing.
  std::optional<std::string> check_invariants() const;

private:
  struct open_pull {
    position to;
    uint64_t groups;
    size_t bytes;
  };

  bool settle_prefix();

  std::deque<open_pull> open_;
  /// Number of open_.front().
  uint64_t first_ = 1;
  position settled_;
  size_t bytes_ = 0;
};

} // namespace fantail
