// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/limits.hpp"
#include "core/snapshot/snapshot_writer.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace fantail {

struct snapshot_rounds_config {
  uint16_t shards = 0;
  uint16_t presence_shards = 0;
  /// A round begins when a log has grown by so much behind the snapshot of
  /// its presence shard, or when it has grown at all for so long. Bytes do not
  /// count before there are as many as a round writes for each log.
  uint64_t records = limits::snapshot_records_default;
  uint64_t bytes = limits::snapshot_bytes_default;
  /// A log is never left to grow by more: its stream has to hold three times
  /// that.
  uint64_t bytes_max = UINT64_MAX;
  duration interval = limits::snapshot_interval_default;
};

/// How far a presence shard has read its log.
struct log_growth {
  presence_shard_id shard;
  log_progress log;
  /// Versions of the log's life begin behind this.
  uint64_t version_base = 0;
  /// Read since the node started.
  uint64_t bytes = 0;
};

/// What may be forgotten.
struct snapshot_trim {
  /// Everything in the stream of `of` before `first_kept`.
  struct stream {
    snapshot_source of;
    uint64_t first_kept;
  };
  /// Everything in the log up to and with `up_to`, a position of its life.
  struct log {
    presence_shard_id shard;
    position up_to;
  };
  std::vector<stream> streams;
  std::vector<log> logs;
};

/// Decides which shard is to be written next, which snapshots are kept, and
/// what of the logs nobody needs any more.
///
/// Snapshots come in rounds, one shard at a time: first all presence shards,
/// then all routing shards, so that a routing shard knows at least what the
/// ledgers of its round know. Kept are the two newest of each routing shard,
/// and of each presence shard those from the newest on that every kept one of
/// a routing shard can start with, at least two. A log is trimmed up to what
/// all kept snapshots contain, once there are two good ones of each: should
/// the newest be damaged, the one before it will do. Not thread safe.
///
/// Invariant: what was trimmed is contained in every kept snapshot.
class snapshot_rounds {
public:
  snapshot_rounds(const snapshot_rounds_config& config, time_point now);

  /// A snapshot from before the start that was loaded, so it is good; others
  /// do not count.
  void found(stored_snapshot x);

  void grown(const log_growth& x);

  /// The shard to write now; nothing if nothing is due, or one is being
  /// written. Answer with `written` or `failed`.
  std::optional<snapshot_source> next(time_point now);

  bool is_writing() const noexcept { return being_written_.has_value(); }

  void written(stored_snapshot x);

  /// It is tried again later in the round.
  void failed(snapshot_source of, time_point now);

  /// What became superfluous since the last call.
  snapshot_trim take_trim();

  /// Complete snapshots kept of a shard, oldest first.
  const std::vector<stored_snapshot>& kept(snapshot_source of) const;

private:
  struct log_state {
    log_growth now;
    /// `now.bytes` at the last snapshot of the presence shard.
    uint64_t bytes_before = 0;
    position trimmed;
  };

  bool is_due(const log_state& x, uint64_t bytes_max, bool is_late) const;
  uint64_t bytes_per_log() const;
  void begin_round(time_point now);
  log_position needed_behind(presence_shard_id x, bool of_routing_only) const;
  void retire(snapshot_source of);

  snapshot_rounds_config config_;
  time_point last_round_;
  std::vector<log_state> logs_;
  std::deque<snapshot_source> left_in_round_;
  std::optional<snapshot_source> being_written_;
  time_point not_before_{};
  std::map<snapshot_source, std::vector<stored_snapshot>> kept_;
  std::map<snapshot_source, uint64_t> trimmed_;
};

} // namespace fantail
