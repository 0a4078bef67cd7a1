// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/limits.hpp"
#include "core/presence/delta.hpp"
#include "core/presence/presence_codec.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fantail {

/// An answer that is due, and where it goes.
struct due_answer {
  std::string reply_to;
  presence_answer answer;
};

/// The presence shard's side of its routing shards: collects changes into
/// numbered deltas, keeps them until they are applied, and knows when the
/// answer to a change is due.
///
///     add, expect          collect a record's changes, then its answer
///     reached              the record is complete
///     take_deltas          what is to be sent now
///     applied, drained     what a routing shard says, both cumulative
///     take_answers         the answers that became due
///
/// An answer waits for every shard it concerns to reach the newest delta that
/// shard had been given changes for when the answer was announced. If that
/// delta carries nothing of this user, an earlier one does, so the answer is
/// never too early. `joined` waits for applied, `left` for drained as well.
///
/// Not thread safe.
///
/// Invariants, for each shard: (1) drained <= applied <= cut, the number of
/// the newest delta; (2) the kept deltas are exactly (applied, cut]; (3) an
/// answer waits in a shard's line exactly if the shard has not reached it, and
/// lines are in order; (4) unapplied() is the number of kept deltas.
class delta_outbound {
public:
  /// REQUIRES: 0 < shards <= limits::shards_max.
  delta_outbound(presence_shard_id from, uint16_t shards);

  /// Adds a change to the delta of `to` that is being collected.
  /// REQUIRES: `to` is below the number of shards.
  void add(shard_id to, user_change change);

  /// Announces the answer to the record whose changes were just added: to be
  /// sent to `reply_to` once all of `shards` (a mask) are ready for it, at
  /// once if there are none. `answer.what` says whether that is `joined` or
  /// `left`; its positions are filled in here. A refusal waits for nothing.
  void expect(uint64_t shards, std::string reply_to, presence_answer answer);

  /// All records up to `at` are added completely: deltas ended from now on
  /// say so.
  void reached(log_progress at) noexcept { reached_ = at; }

  /// Makes sure that every shard hears of the position reached, if only in a
  /// delta without changes.
  void tell_reached();

  /// Ends the deltas being collected and appends all that were not handed out
  /// yet, in order for each shard.
  void take_deltas(std::vector<presence_delta_ptr>& out);

  /// True if take_deltas would give something.
  bool has_deltas() const noexcept;

  /// Shard `from` has applied every delta up to `number`; at `at` it was then.
  /// Returns false, and does nothing, for a delta that was never handed out.
  /// A lower number than before is a late message and is ignored.
  bool applied(shard_id from, uint64_t number, position at);

  /// As above: nothing older than delta `number` matters to shard `from` any
  /// more. False if that delta was not applied.
  bool drained(shard_id from, uint64_t number, position at);

  /// Appends the answers that became due, in the order in which they did.
  void take_answers(std::vector<due_answer>& out);

  /// Appends the deltas behind number `behind` that were handed out and not
  /// yet applied, for a shard that starts again. Returns false if the shard
  /// lacks deltas that are not kept any more: it needs everything anew.
  bool resend(shard_id to, uint64_t behind,
              std::vector<presence_delta_ptr>& out) const;

  /// Deltas collected or handed out and not applied, over all shards. At
  /// limits::deltas_unapplied_max the log should not be read further.
  size_t unapplied() const noexcept { return unapplied_; }
  bool is_full() const noexcept {
    return unapplied_ >= limits::deltas_unapplied_max;
  }

  size_t answers_pending() const noexcept { return pending_.size(); }

  /// The number of the newest delta applied by `shard`.
  uint64_t applied_number(shard_id shard) const;
  uint64_t drained_number(shard_id shard) const;

  /// What is wrong with the state, or nothing.
  std::optional<std::string> check_invariants() const;

private:
  /// Channel names in one delta, at most, unless a single change has more: a
  /// routing shard applies a delta in one go and should not stall others.
  static constexpr size_t delta_channels_max = 10'000;

  using answer_id = uint64_t;

  /// An answer in line for a delta's number.
  struct waiting {
    uint64_t number;
    answer_id answer;
  };

  struct pending_answer {
    due_answer due;
    size_t shards_left = 0;
  };

  struct outbound_shard {
    presence_delta open;
    size_t open_channels = 0;
    /// (applied, cut]
    std::deque<presence_delta_ptr> kept;
    uint64_t cut = 0;
    uint64_t handed_out = 0;
    uint64_t applied = 0;
    uint64_t drained = 0;
    /// What its newest delta says of the log.
    log_progress log;
    position applied_at;
    position drained_at;
    std::deque<waiting> applied_line;
    std::deque<waiting> drained_line;
  };

  void cut(outbound_shard& x, shard_id to);
  void serve(std::deque<waiting>& line, uint64_t number, shard_id shard,
             position at);
  void finish(answer_id id);

  presence_shard_id from_;
  std::vector<outbound_shard> shards_;
  std::unordered_map<answer_id, pending_answer> pending_;
  std::vector<due_answer> due_;
  answer_id next_answer_ = 1;
  size_t unapplied_ = 0;
  log_progress reached_;
};

} // namespace fantail
