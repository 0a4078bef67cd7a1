// SPDX-License-Identifier: MIT
#pragma once

#include "core/ingest/republish_lane.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// Splits a user's own stream into the streams of the shards: a lane per
/// shard, and how far the source is republished as a whole. Not thread safe.
///
/// Bounds: what was added and is not settled is bounded by the credit of
/// whoever reads the source.
class republisher {
public:
  /// The contiguous prefix that is stored now, since the last call.
  struct progress {
    position to;
    size_t bytes = 0;
  };

  republisher(uint16_t shards, std::string source);

  /// Positions are those of this life of the source from here on; what was
  /// added and is not stored is forgotten.
  void begin(std::string_view created_at, position from);

  /// Takes the next pull of the source in.
  void add(const pull_ptr& events);

  republish_lane& lane(shard_id shard) { return lanes_[shard.value]; }
  uint16_t shards() const noexcept {
    return static_cast<uint16_t>(lanes_.size());
  }

  /// Where a publish stands in the shard's stream, as found there.
  void found_end(shard_id shard, uint64_t attempt,
                 const std::optional<shard_writer_port::stream_end>& end,
                 time_point now);
  void answered(const shard_writer_port::answer& x, time_point now);

  /// Nothing more is heard of what is under way.
  void lost_link();

  /// What became contiguously stored, if anything.
  std::optional<progress> take_progress();

  /// The `Nats-Msg-Id` of a record: source, life, position.
  std::string id_of(position at) const;

  position republished() const noexcept { return republished_; }
  /// Everything added is stored.
  bool is_idle() const noexcept { return pulls_.empty(); }

private:
  struct open_pull {
    pull_ptr events;
    size_t missing;
  };

  std::optional<position> position_in(std::string_view id) const;
  void take_done();

  std::string source_;
  std::string id_prefix_;
  std::vector<republish_lane> lanes_;
  std::deque<open_pull> pulls_;
  std::vector<republish_lane::record> done_;
  position republished_;
};

} // namespace fantail
