// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/limits.hpp"
#include "core/ports.hpp"
#include "core/pull.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace fantail {

/// Copies records of one source stream into the stream of one shard: each
/// once, and in order, with many under way.
///
/// **Once.** A record's id is its place in the source. Whenever the outcome of
/// a publish is not certain, the lane reads where the shard's stream ends: the
/// newest record there tells which are stored, because they are stored in
/// order.
///
/// **In order.** Every publish names the position it must get and the record it
/// must follow. If one fails, those behind it are refused by the server, and
/// none overtakes, not even when somebody else's record took its place.
///
/// Not thread safe; the owner carries out what it says.
///
/// Invariants (check_invariants): records rise; the first `under_way` of them
/// are published and not answered.
class republish_lane {
public:
  struct record {
    pull_ptr source;
    uint32_t event;

    position pos() const { return (*source)[event].pos; }
  };
  /// What to publish: `what`, to become the record behind `behind`, which has
  /// to be the one of `after`, if that is known.
  struct outgoing {
    record what;
    uint64_t behind;
    std::optional<position> after;
  };

  /// Forgets everything but the attempts, so that no late answer is taken for
  /// one of the new life of the source.
  void clear();

  /// Appends a record. Returns false if it is stored already.
  bool add(record x);

  /// True if the end of the shard's stream has to be read, now. Counts as
  /// asked, under a new attempt().
  bool wants_end(time_point now);

  /// The shard's stream ends at `last`, with the record `newest` of this
  /// source, if the record there is one. Appends what is stored to `done`.
  void found_end(uint64_t attempt, uint64_t last,
                 std::optional<position> newest, std::vector<record>& done);

  /// The end could not be read; it is asked for again after a pause.
  void end_unknown(uint64_t attempt, time_point now);

  /// The next record to publish, if the window has room. Counts as published
  /// at `now`.
  std::optional<outgoing> next(time_point now);

  /// What became of the oldest record under way.
  void answered(const shard_writer_port::answer& x, time_point now,
                std::vector<record>& done);

  /// Nothing more is heard of what is under way.
  void lost_link();

  /// Gives up on answers that are overdue. Call it several times per second.
  void tick(time_point now);

  uint64_t attempt() const noexcept { return attempt_; }
  size_t waiting() const noexcept { return records_.size(); }
  size_t under_way() const noexcept { return under_way_; }
  bool check_invariants() const;

private:
  enum class phase : uint8_t { lost, asking, open };

  void begin_again(time_point now, duration pause);

  std::deque<record> records_;
  size_t under_way_ = 0;
  size_t bytes_under_way_ = 0;
  phase phase_ = phase::lost;
  uint64_t attempt_ = 0;
  /// Position of the newest record known to be in the shard's stream.
  uint64_t last_ = 0;
  /// The newest record answered in this attempt.
  std::optional<position> chain_;
  /// Newest record of the source known to be stored, and added.
  position stored_;
  position added_;
  time_point not_before_{};
  time_point heard_at_{};
};

} // namespace fantail
