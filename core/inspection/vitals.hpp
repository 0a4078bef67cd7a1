// SPDX-License-Identifier: MIT
#pragma once

#include "core/histogram.hpp"
#include "core/telemetry.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

namespace fantail {

/// What an actor is doing and has done: which message it handles and since
/// when, how many of which type, how long they waited and took, how many wait.
/// Outlives the actor: the next one at its seat goes on with it. Times are
/// steady nanoseconds.
///
/// One thread at a time plays the actor; it pays plain stores, no locked
/// instruction. Anybody may put a message into the mailbox, for one relaxed
/// addition, and read at any time.
class vitals {
public:
  /// Types of messages that are counted by name; the others count together.
  static constexpr size_t kinds_max = 32;

  struct reading {
    /// Null: it handles nothing.
    const std::type_info* current = nullptr;
    int64_t current_since_ns = 0;
    uint64_t handled = 0;
    /// Spent in handlers, without the current one.
    uint64_t busy_ns = 0;
    uint64_t waiting = 0;
  };

  // -- any thread
  void arrived() noexcept { arrived_.fetch_add(1, std::memory_order_relaxed); }

  // -- the actor

  /// A message leaves the mailbox.
  void begin(const std::type_info& what, int64_t now_ns) noexcept;
  /// It was handled, or made the actor fail.
  void end(int64_t now_ns) noexcept;
  /// Samples how long a message waited.
  void waited(int64_t ns) noexcept { wait_.record(ns); }
  /// The mailbox is gone, and what was in it is somewhere else.
  void emptied() noexcept;

  // -- any thread
  reading read() const noexcept;
  /// Most frequent first; nothing that never came. What is beyond `kinds_max`
  /// comes last, without a type.
  std::vector<std::pair<const std::type_info*, uint64_t>> by_kind() const;
  histogram wait_times() const { return wait_.snapshot(); }
  histogram handler_times() const { return handler_.snapshot(); }

private:
  struct kind {
    std::atomic<const std::type_info*> what = nullptr;
    telemetry::counter count;
  };

  size_t index_of(const std::type_info& what) noexcept;

  /// Written by everybody: on a cache line of its own.
  alignas(64) std::atomic<uint64_t> arrived_ = 0;
  /// Written by the actor.
  alignas(64) std::atomic<const std::type_info*> current_ = nullptr;
  std::atomic<int64_t> since_ns_ = 0;
  telemetry::counter taken_;
  telemetry::counter handled_;
  telemetry::counter busy_ns_;
  std::array<kind, kinds_max> kinds_;
  telemetry::counter others_;
  atomic_histogram wait_;
  atomic_histogram handler_;
  size_t last_kind_ = 0;
};

/// What a type of message is called: `pulled`. Of no type: `other`.
std::string name_of(const std::type_info& what);

} // namespace fantail
