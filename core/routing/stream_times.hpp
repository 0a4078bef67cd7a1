// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>

namespace fantail {

/// When the events of a stream were stored, roughly: one entry per second, so
/// that a position can be turned into a server time. Times rise along a
/// stream. Not thread safe.
///
/// Bound: `entries_max` entries of 16 bytes; the oldest is forgotten first.
class stream_times {
public:
  explicit stream_times(size_t entries_max = 1024)
      : entries_max_(entries_max) {}

  /// The event at `at` was stored at `stored_at_ns`. Repeats are ignored.
  void note(position at, int64_t stored_at_ns);

  /// No event behind `at` was stored before this time; INT64_MIN if `at` is
  /// older than everything noted.
  int64_t time_behind(position at) const noexcept;

  /// The stream begins anew.
  void clear() noexcept { entries_.clear(); }

private:
  struct entry {
    position at;
    int64_t stored_at_ns;
  };

  size_t entries_max_;
  std::deque<entry> entries_;
};

} // namespace fantail
