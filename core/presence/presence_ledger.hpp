// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/instance_directory.hpp"
#include "core/limits.hpp"
#include "core/presence/delta.hpp"
#include "core/presence/presence_codec.hpp"
#include "core/presence/session_table.hpp"
#include "core/presence/user_directory.hpp"
#include "core/timer_wheel.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail {

/// One record of a presence shard's log, with a body that could be read.
struct presence_record {
  log_position version;
  /// When the server stored it, ns of the server's wall clock.
  int64_t stored_at_ns = 0;
  std::string user;
  presence_update update;
};

/// What became of a record.
struct presence_outcome {
  /// The record is not behind the newest one applied; nothing happened.
  bool is_repeat = false;
  presence_reject reason = presence_reject::none;
  /// One line for people.
  std::string detail;
  /// Bit s is set if shard s is concerned: the answer waits until s has
  /// applied what it was told so far, even if this record told it nothing.
  uint64_t shards = 0;
  /// The record's user, if it was applied and the user is known now or was
  /// before; what follows speaks of this user after the record.
  std::optional<user_handle> user;
  /// Otherwise the handle may mean another user from now on.
  bool is_known = false;
  bool is_online = false;
  /// The routing shards keep the user's rows.
  bool is_resident = false;
};

/// A change, and the routing shard that has to hear of it.
struct routed_change {
  shard_id to;
  user_change change;
};

/// A session whose time to live ran out. Whoever is told appends an `expire`
/// to the log; that record, not this report, ends the session.
struct expired_session {
  std::string user;
  std::string session;
  /// The user's newest record. Appending on the condition that no newer one
  /// is in the log keeps an `expire` from ending a session that has just
  /// returned.
  log_position version;
};

struct presence_ledger_config {
  /// Number of routing shards, 1 to limits::shards_max.
  uint16_t shards = limits::shards_default;
  duration ttl = limits::presence_ttl_default;
  /// A session that was reported is reported again after this time.
  duration report_interval = std::chrono::seconds{5};
  /// No session expires earlier than one ttl after this.
  time_point started;
};

/// The machine of one presence shard: the only writer of user -> sessions.
/// It reads the shard's log in order and says what each routing shard has to
/// learn. Which channels a user is in is kept by the routing shards and by the
/// members store (core/membership); the ledger remembers only in which shards
/// the user has, or had, channels, so that an offline user costs one message
/// for each of them.
///
/// A user who is offline may be *evicted*: then the shards keep nothing of it.
/// Before a record that needs the rows is applied, they have to be restored
/// from the members store.
///
/// State follows from the log alone: replaying it from the start gives the
/// same state, handles and changes, whatever the time. (What `restore` tells
/// comes from outside; but which shards it concerns does not.) Time decides
/// only what tick() reports. A user online with one session costs less than 100
/// bytes besides long names.
///
/// What it tells a shard, and relies on: a shard that knows a user keeps the
/// user's instances even while the user has no channels there, because a later
/// join_channels does not repeat them. A shard that is to forget a user is
/// told set_channels with no channels, then remove_instance for each instance;
/// only after that may the handle mean another user.
///
/// Invariants: (1) a shard knows a user exactly if the user's mask names it
/// and the user is not evicted; (2) it then knows all instances on which the
/// user has sessions; (3) a user without sessions and with an empty mask is
/// forgotten; (4) every session has a timer; (5) the statistics are what a
/// count gives; (6) who is evicted has no sessions.
///
/// Not thread safe; the instance directory is shared and is.
class presence_ledger {
public:
  struct statistics {
    /// Users with at least one session.
    size_t users_online = 0;
    /// These, and those offline of whom a shard may know channels.
    size_t users_known = 0;
    /// Of these, whose rows no shard keeps.
    size_t users_evicted = 0;
    size_t sessions = 0;
    /// Sessions reported as expired that are still in the table.
    size_t zombies = 0;
    size_t bytes = 0;
    /// Sessions by instance_index; may be shorter than the directory.
    std::vector<uint32_t> sessions_by_instance;
  };

  /// A user as queries see it.
  struct user_state {
    user_handle handle;
    log_position version;
    uint64_t shards = 0;
    bool is_evicted = false;
    /// Session and instance, newest first.
    std::vector<std::pair<std::string, instance_index>> sessions;
  };

  presence_ledger(presence_ledger_config config, instance_directory& instances);

  /// Applies the next record and appends what it changes to `out`, in order.
  /// The record's update has to come from parse_presence_update; its user may
  /// be anything.
  presence_outcome apply(const presence_record& record, time_point now,
                         std::vector<routed_change>& out);

  /// The user, if `record` can be applied only after `restore`: the user is
  /// evicted, and the record does not say itself which are the channels.
  std::optional<user_handle> lacks_rows(const presence_record& record) const;

  /// Brings the rows of an evicted user back: `channels` are all of the user's
  /// channels, `record` is the one that needs them.
  void restore(user_handle user, const channel_list& channels,
               const presence_record& record, std::vector<routed_change>& out);

  /// Tells those of `shards` (a mask) that know the user everything about it,
  /// as if they had never heard of it: `channels` are all of its channels.
  /// Whoever is evicted is known nowhere.
  void tell_anew(user_handle user, const channel_list& channels,
                 uint64_t shards, std::vector<routed_change>& out);

  /// Calls `f(user_handle)` for everybody whom tell_anew would tell something.
  template <class F>
  void for_each_known(uint64_t shards, F f) const {
    users_.for_each([&](user_handle user) {
      auto& entry = entries_[user.value];
      if ((entry.shards & shards) != 0 && !entry.is_evicted)
        f(user);
    });
  }

  /// A record of `user` was skipped because its body could not be read.
  void skip(std::string_view user, log_position version);

  /// A sign of life of an instance: renews all sessions on it.
  void heartbeat(instance_index instance, time_point now);

  /// The instance left on purpose: the time of all sessions on it is over, and
  /// the next ticks report them. Reads every session: 5 ms per million.
  void end_sessions(instance_index instance, time_point now);

  /// Appends the sessions whose time to live has run out. None is reported
  /// early; one is reported at most 200 ms late.
  void tick(time_point now, std::vector<expired_session>& out);

  /// The newest record applied or skipped.
  log_position applied() const noexcept { return applied_; }

  std::optional<user_state> find(std::string_view user) const;

  /// The user's name, if the user is online and `shard` knows about it.
  std::optional<std::string> name_of(user_handle user, shard_id shard) const;
  bool has_session(std::string_view user, std::string_view session) const;

  /// Name and newest record of a user the ledger knows.
  struct user_version {
    std::string_view name;
    log_position version;
  };
  user_version version_of(user_handle user) const;

  std::optional<user_handle> handle_of(std::string_view user) const {
    return users_.find(user);
  }
  bool knows(user_handle user) const noexcept;
  /// Whether the shards keep rows of a user who has no session.
  bool is_offline_resident(user_handle user) const noexcept;

  statistics stats() const;

  /// Writes what follows from the log up to `applied`: users with their
  /// handles, sessions, shards. What follows from time is left out.
  void save(byte_writer& out) const;

  /// Reads that into this fresh ledger; instance i of the bytes is
  /// `numbers[i]` now, and every session lives for a time to live from `now`
  /// on. What cannot be right fails `in`; then the ledger must not be used
  /// any more.
  void load(byte_reader& in, std::span<const instance_index> numbers,
            time_point now);

  /// What is wrong with the state, or nothing.
  std::optional<std::string> check_invariants() const;

private:
  struct user_entry {
    log_position version;
    /// Shards that know the user.
    uint64_t shards = 0;
    session_table::slot sessions = session_table::none;
    uint16_t session_count = 0;
    bool is_evicted = false;
  };

  /// What a record does to the user's channels and to the shards that know
  /// the user.
  struct channel_step {
    std::optional<user_change::kind> kind;
    uint64_t before = 0;
    uint64_t after = 0;
    uint64_t concerned = 0;
  };

  user_entry* entry_of(std::string_view user);
  user_entry& entry_or_new(std::string_view user);
  void list_instances(const user_entry* entry,
                      std::vector<instance_index>& out) const;
  presence_outcome change_sessions(const presence_record& record,
                                   time_point now);
  presence_outcome put_session(const presence_record& record, time_point now);
  presence_outcome drop_session(const presence_record& record);
  uint64_t split(const channel_list& channels);
  channel_step step_of(const presence_update& update, const user_entry* entry);
  void tell_all(const channel_step& step, user_handle user,
                const presence_record& record, std::vector<routed_change>& out);
  void tell(shard_id to, const channel_step& step, user_change change,
            std::vector<routed_change>& out);
  time_point expiry_of(const session_table::session& x) const;
  uint32_t tick_of(time_point now) const;
  void mark_expired(session_table::session& x, bool is_expired);
  void begin_session(session_table::slot x, instance_index instance,
                     time_point now);
  void load_user(user_handle user, byte_reader& in,
                 std::span<const instance_index> numbers, time_point now);
  void set_evicted(user_entry& x, bool is_evicted);
  bool forget_if_gone(user_handle user);

  presence_ledger_config config_;
  instance_directory& instances_;
  user_directory users_;
  /// By handle.
  std::deque<user_entry> entries_;
  session_table sessions_;
  /// Keyed by session slot.
  timer_wheel timers_;
  /// Tick of the last heartbeat, by instance.
  std::vector<uint32_t> heartbeats_;
  std::vector<uint32_t> sessions_by_instance_;
  log_position applied_;
  size_t users_online_ = 0;
  size_t users_evicted_ = 0;
  size_t zombies_ = 0;
  // Scratch space of apply and tick, kept for its memory.
  std::vector<channel_list> split_;
  std::vector<instance_index> instances_before_;
  std::vector<instance_index> instances_after_;
  std::vector<timer_wheel::key> fired_;
};

} // namespace fantail
