// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail::bench {

/// What one instance of a benchmark keeps of its frames: positions, and
/// numbers. It follows docs/PROTOCOL.md §5 but reads only the headers of
/// sections, unless it is asked for bodies, and never asks for a gap: a
/// benchmark in which one appears has lost events, and says so.
class frame_tally {
public:
  struct counters {
    /// New events.
    uint64_t events = 0;
    /// Events that came before.
    uint64_t repeats = 0;
    uint64_t gaps = 0;
    /// Sections that say that live delivery stopped.
    uint64_t lagging = 0;
    uint64_t malformed = 0;

    counters& operator+=(const counters& other);
    bool operator==(const counters&) const = default;
  };

  using body_handler = std::function<void(std::string_view body)>;

  explicit frame_tally(uint16_t shards) : shards_(shards) {}

  /// Reads a frame and returns what was in it. `on_body`, if it is not empty,
  /// gets the body of every new event.
  counters take(std::string_view frame, const body_handler& on_body = {});

  /// The next section of each shard is taken as it comes.
  void forget();

  /// Shards whose position moved since the last call, with the position: what
  /// an instance acknowledges.
  std::vector<std::pair<shard_id, position>> take_moved();

private:
  struct shard_state {
    bool is_known = false;
    bool has_moved = false;
    fantail::epoch epoch;
    position at;
  };

  std::vector<shard_state> shards_;
};

} // namespace fantail::bench
