// SPDX-License-Identifier: MIT
#pragma once

#include "core/frame.hpp"
#include "core/limits.hpp"
#include "core/ports.hpp"
#include "core/pull.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// Bounds of one outbox; defaults and reasons in core/limits.hpp.
struct outbox_config {
  size_t bytes_max = limits::outbox_bytes_default;
  size_t events_max = limits::outbox_events_default;
  size_t window_bytes_max = limits::window_bytes_default;
  size_t frame_bytes_max = limits::frame_bytes_default;
};

/// What an instance receives, and how.
struct instance_profile {
  std::string name;
  delivery_format format = delivery_format::single;
  /// Names the life of the instance; empty if it never registered.
  std::string incarnation;
};

/// Where a shard stands.
struct shard_position {
  fantail::epoch epoch;
  position at;

  bool operator==(const shard_position&) const = default;
};

/// Where a new life of an instance wants to begin.
struct life_start {
  /// Where the life before it had acknowledged; else at the heads.
  bool resumes = false;
  /// By shard, what the instance itself remembers; goes first.
  std::vector<std::optional<shard_position>> kept = {};
};

/// Everything on its way to one instance over one connection: what was routed
/// and not yet written, what was written and not yet acknowledged, and how far
/// each shard was told. Under pressure it drops the oldest best-effort events
/// first, then the oldest important ones, never a critical one; a `frame`
/// instance that does not keep up becomes lagging instead: it gets nothing
/// but the news how far the shards have come, and fetches the rest itself.
///
/// A `single` instance is *absent* while the server says that nobody listens
/// to it. Of what is pending then only the oldest event is published, asking;
/// the rest waits for the verdict, a round trip, and is dropped with the
/// proof, or published in order. So nothing is lost when it listens again.
///
/// Invariants: (1) the sections sent for a shard join without gap or overlap,
/// until `rewind`; (2) pending_bytes() is the sum over the pending entries;
/// (3) a lagging outbox has nothing pending; (4) only a `single` one asks.
class outbox {
public:
  /// One event of a delivery. The pull has to live until it is written.
  struct entry {
    const pull* source;
    uint32_t event;
    fantail::epoch epoch;
  };

  /// Messages and bytes that one `flush` published.
  struct flushed {
    uint64_t messages = 0;
    uint64_t bytes = 0;
    bool link_failed = false;
    /// Somebody has to tell the verdict when the marker is back.
    bool has_asked = false;
  };

  outbox(instance_profile profile, outbox_config settings);

  /// Adds an event of `source`. Returns how many events were dropped for it,
  /// by class.
  std::array<uint32_t, 3> push(const entry& x, const pull_ptr& source);

  /// Publishes everything pending. `scratch` is memory to build frames in.
  flushed flush(bus_port& out, const std::string& subject, instance_index index,
                frame::writer& scratch);

  /// The next flush asks the server whether anybody listens. Call it about
  /// once per second.
  void ask_soon() noexcept { asks_soon_ = !is_frame(); }

  /// The server said that nobody listens to what was asked last.
  void unheard() noexcept { was_unheard_ = is_asking_; }

  /// The verdict is in: everything the server says about the last question
  /// has come. Returns how many events were dropped because nobody listened.
  size_t answered();

  bool is_asking() const noexcept { return is_asking_; }
  bool is_absent() const noexcept { return is_absent_; }

  /// Tells, in one frame, every shard position the instance was not told:
  /// `heads[shard]` is how far the shard was routed.
  flushed tell_positions(const std::vector<shard_position>& heads,
                         bus_port& out, const std::string& subject,
                         frame::writer& scratch);

  /// Begins a new life of the instance: live behind `heads`, and with
  /// `positions()` as what it has.
  void restart(instance_profile profile,
               const std::vector<shard_position>& heads,
               const life_start& start);

  /// Where the instance begins or goes on: told in the answer to its
  /// registration.
  std::vector<shard_position>
  positions(const std::vector<shard_position>& heads) const;

  /// The instance is dead: it gets nothing until it has caught up.
  void begin_lagging();

  /// The instance has everything up to `at` of `shard`. Returns true if a
  /// lagging instance has come close enough to go live behind `heads`.
  bool acknowledge(shard_id shard, position at,
                   const std::vector<shard_position>& heads);

  /// The link was lost: what is unconfirmed will be pushed again.
  void link_lost();
  /// The stream of `shard` was lost and begins anew under `epoch`: from now on
  /// its sections say so.
  void begin_anew(shard_id shard, fantail::epoch epoch);
  /// What comes for `shard` begins behind `from`, under `epoch`.
  void rewind(shard_id shard, fantail::epoch epoch, position from);

  const instance_profile& profile() const noexcept { return profile_; }
  bool is_lagging() const noexcept { return is_lagging_; }
  bool is_pending() const noexcept { return live_entries_ > 0; }
  size_t pending_bytes() const noexcept { return pending_bytes_; }
  size_t pending_events() const noexcept { return live_entries_; }
  size_t unacknowledged_bytes() const noexcept { return window_bytes_; }
  const std::array<uint32_t, 3>& pending_by_class() const noexcept {
    return pending_by_class_;
  }
  /// By shard: up to where the instance was told, and what it acknowledged.
  /// Both lists have the same length.
  const std::vector<shard_position>& told() const noexcept { return told_; }
  const std::vector<position>& acknowledged() const noexcept {
    return acknowledged_;
  }

  /// How far the instance has acknowledged `shard`, if it ever will.
  std::optional<position> acknowledged(shard_id shard) const;

private:
  struct sent_section {
    shard_id shard;
    position to;
    size_t bytes;
  };

  bool is_frame() const noexcept {
    return profile_.format == delivery_format::frame;
  }
  bool is_full() const noexcept;
  bool drop_oldest(event_class cls);
  void take_out(entry& x);
  void forget_pending();
  position start_of(size_t shard, shard_position head, const life_start& start,
                    bool resumes) const;
  shard_position& told(shard_id shard);
  shard_position& told(const entry& x);
  uint16_t flags_of(shard_id shard, fantail::epoch epoch) const noexcept;
  flushed flush_single(bus_port& out, const std::string& subject,
                       instance_index index);
  flushed flush_frames(bus_port& out, const std::string& subject,
                       frame::writer& scratch);
  bool publish_frame(bus_port& out, const std::string& subject,
                     frame::writer& scratch, flushed& result);
  void note_section(shard_id shard, position to, size_t bytes);

  instance_profile profile_;
  outbox_config settings_;
  /// A dropped entry stays in its place with a null source.
  std::vector<entry> pending_;
  std::array<uint32_t, 3> pending_by_class_{};
  size_t live_entries_ = 0;
  size_t pending_bytes_ = 0;
  /// Per shard: the `to` of the last section sent.
  std::vector<shard_position> told_;
  /// Per shard: the same of the epoch before, whose last events may still be
  /// on their way when the stream begins anew.
  std::vector<shard_position> former_;
  /// Per shard: the first epoch under which its stream began anew, or none.
  /// Every later epoch of this life of the node began so, too.
  std::vector<fantail::epoch> anew_;
  /// Per shard: what the instance acknowledged.
  std::vector<position> acknowledged_;
  std::deque<sent_section> window_;
  size_t window_bytes_ = 0;
  bool is_lagging_ = false;
  /// It went live, and was not told yet how far the shards are.
  bool owes_heads_ = false;
  /// Its life began behind the heads.
  bool has_resumed_ = false;
  // -- `single` only
  bool is_absent_ = false;
  bool asks_soon_ = false;
  bool is_asking_ = false;
  bool was_unheard_ = false;
  /// The question, while it is pending, and what was pending then.
  size_t asked_entry_ = 0;
  size_t asked_entries_ = 0;
  /// Keeps alive what waits for a verdict.
  std::vector<pull_ptr> kept_;
};

} // namespace fantail
