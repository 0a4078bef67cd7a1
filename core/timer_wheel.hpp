// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// Deadlines of things that have small dense numbers (sessions, instances): a
/// key is such a number and has at most one deadline. A key costs 12 bytes,
/// from the largest one ever scheduled downwards, whether scheduled or not.
///
/// Scheduling and cancelling take constant time, a deadline is touched at most
/// four times on its way. Four wheels of 256 slots each turn like the digits of
/// a counter: G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels"
/// (SOSP 1987), scheme 7. Not thread safe.
///
/// Invariants: (1) a deadline hangs in the wheel of the highest byte in which
/// it differs from the current tick; (2) no deadline lies in the past;
/// (3) each wheel's count is the number of deadlines in its slots.
class timer_wheel {
public:
  using key = uint32_t;

  /// Keys reach up to this one.
  static constexpr key key_max = UINT32_MAX - 4096;

  /// REQUIRES: granularity > 0. A deadline fires up to one granularity late.
  explicit timer_wheel(time_point start,
                       duration granularity = std::chrono::milliseconds{100});

  /// Sets the deadline of `k`, replacing the one it has. One in the past fires
  /// at the next tick; one farther away than 2^31 ticks is drawn in to there.
  void schedule(key k, time_point due);

  /// Returns false if `k` had no deadline.
  bool cancel(key k);

  bool is_scheduled(key k) const noexcept;

  /// Appends the keys whose deadline has come, earlier ticks first. None fires
  /// early. They have no deadline any more. Costs nothing for empty wheels,
  /// however much time has passed.
  void advance(time_point now, std::vector<key>& out);

  /// Deadlines outstanding.
  size_t size() const noexcept;

  size_t byte_count() const noexcept;

  /// What is wrong with the state, or nothing.
  std::optional<std::string> check_invariants() const;

private:
  static constexpr unsigned levels = 4;
  static constexpr uint32_t slots = 256;
  static constexpr uint32_t heads = levels * slots;
  /// `next` of a node that hangs nowhere.
  static constexpr uint32_t loose = UINT32_MAX;

  /// The lists are circular, with a head per slot in front of all keys, so
  /// that unlinking needs no branch and no slot number.
  struct node {
    /// The low 32 bits of the tick at which it fires.
    uint32_t due = 0;
    uint32_t prev = loose;
    uint32_t next = loose;
  };

  unsigned level_of(uint32_t due) const noexcept;
  void place(uint32_t index);
  void unlink(uint32_t index);
  void cascade(unsigned level);
  void fire(std::vector<key>& out);
  bool skip(uint64_t target);

  time_point start_;
  duration granularity_;
  uint64_t tick_ = 0;
  std::deque<node> nodes_;
  std::array<size_t, levels> counts_{};
};

} // namespace fantail
