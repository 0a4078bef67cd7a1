// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/limits.hpp"
#include "core/membership/list_changes.hpp"
#include "core/membership/list_digest.hpp"
#include "core/membership/member_cache.hpp"
#include "core/membership/member_stub.hpp"
#include "core/membership/store_ledger.hpp"
#include "core/presence/presence_ledger.hpp"
#include "core/token_bucket.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fantail {

struct membership_config {
  uint64_t cache_memberships_max = limits::cache_memberships_default;
  /// Changes kept in memory before lists are written.
  size_t changes_bytes_max
      = limits::dirty_bytes_default / limits::presence_shards_default;
  uint64_t slack_bytes = limits::member_slack_bytes;
  uint64_t purge_bytes = limits::member_purge_bytes;
  time_point started;
};

/// What is to be done with the members store and the log.
struct member_work {
  struct append {
    /// Names it in `appended`.
    uint64_t ticket;
    std::shared_ptr<const std::string> record;
  };

  /// Sequences of records; answer each with `was_read`.
  std::vector<uint64_t> reads;
  /// Answer each with `appended`. Their order is that of the stream.
  std::vector<append> appends;
  /// Everything before this sequence may be purged; 0 = nothing.
  uint64_t purge_before = 0;
  /// Offline users whose rows have to leave the tables: an `evict` is to be
  /// appended to the log, if they have no newer record there.
  std::vector<user_handle> evict;

  void clear();
};

/// The machine that makes the channel lists of one presence shard durable, and
/// bounds what of them is in memory. Three places hold a user's list:
///
/// 1. the rows of the routing shards, while the user is online or *resident*,
///    that is offline but in the cache (member_cache),
/// 2. the *members store*: an append-only stream in which the newest record of
///    a user has the whole list as of a version (store_ledger),
/// 3. the *changes* behind that record, in memory, of users who are *dirty*.
///    They come from the log, so that a restart finds them again.
///
/// Lists are written lazily: when changes exceed their bound, dirty lists are
/// written in the order of their old records, so that reading those is cheap.
/// A list that is set to what its record holds does not become dirty, so users
/// who reconnect with the same channels cost no write.
///
/// Calls follow the log; what the store answers may come at any time, in any
/// order, or as a failure, which is tried again. Time decides only when
/// something is tried again and how fast records are moved. Not thread safe.
///
/// Invariants (check_invariants): those of the parts; a user is read or
/// written at most once at a time; the bytes of changes add up; a dirty user
/// is in line to be written unless it is being written or does not fit.
class membership {
public:
  struct statistics {
    member_cache::statistics cache;
    uint64_t records = 0;
    uint64_t live_bytes = 0;
    uint64_t stream_bytes = 0;
    size_t dirty_users = 0;
    size_t dirty_bytes = 0;
    /// Lists that are too large for a record.
    size_t oversized_users = 0;
    uint64_t reads = 0;
    uint64_t appends = 0;
    uint64_t moves = 0;
    /// Records that could not be read any more.
    uint64_t lost = 0;
    /// Memory of this machine, changes among it.
    size_t bytes = 0;
  };

  explicit membership(membership_config config);

  // -- start

  /// A record that is in the store; oldest first. `user` is known already if
  /// the ledger comes from a snapshot.
  void found(member_stub x, std::optional<user_handle> user);

  /// The log was replayed: records that nobody claimed belong to nobody.
  void replayed();

  /// The newest record known: the store is to be read behind it.
  uint64_t newest_record() const noexcept { return store_.newest(); }

  /// The store is another one: what the old one had is lost.
  void forget_store();

  /// Writes everything: with the log behind it and the store's newer records
  /// this state can be had again. REQUIRES: replayed() was called.
  void save(byte_writer& out) const;

  /// Reads that into this fresh membership of the users of `ledger`. What
  /// cannot be right fails `in`; then it must not be used any more.
  void load(byte_reader& in, const presence_ledger& ledger);

  // -- the log

  /// `record` was applied by the ledger, with this outcome.
  void follow(const presence_record& record, const presence_outcome& outcome);

  /// A user's rows were brought back, because a record needed them. What a
  /// replay needs once more is not counted; nor are its hits and evictions.
  void restored() noexcept {
    if (is_replayed_)
      cache_.count_miss();
  }

  /// The user's list as the log has it so far, sorted. Nothing if it has to be
  /// read first: ask again after `was_read`. A record that is lost counts as
  /// empty; `is_lost` says so, unless the log is being replayed: then it turns
  /// out at its end.
  struct list {
    channel_list channels;
    bool is_lost = false;
  };
  std::optional<list> list_of(user_handle user);

  /// Where the user's newest record is: users in this order are read cheaply.
  uint64_t record_of(user_handle user) const noexcept {
    return store_.find(user).sequence;
  }

  /// Reads the list ahead, if it has to be read at all.
  void want_list(user_handle user);

  // -- the store

  void was_read(uint64_t sequence, member_read_result what,
                std::string_view record, time_point now);

  /// Sequence 0: it is unknown whether it was appended.
  void appended(uint64_t ticket, uint64_t sequence, time_point now);

  void take_work(time_point now, member_work& out);

  /// Changes are beyond twice their bound: the log should not be read on.
  bool is_full() const noexcept {
    return changes_bytes_ + append_bytes_ > 2 * config_.changes_bytes_max;
  }

  /// Users whose records were lost since the last call, for the reports.
  std::vector<user_handle> take_lost() { return std::exchange(lost_, {}); }

  statistics stats() const;
  std::optional<std::string> check_invariants() const;

private:
  /// What is known of a user's newest record.
  struct list_state {
    log_position version;
    list_digest digest;
    /// Names in the list, as far as known without reading it.
    uint32_t count = 0;
    bool is_known = false;
  };

  struct dirty_list {
    std::string user;
    list_changes changes;
    /// Of the newest change.
    log_position version;
    /// Place in line, while it is in line.
    std::optional<uint64_t> turn;
    /// Too large for a record, until the changes grow beyond this.
    size_t oversized_up_to = 0;
  };

  /// A read or append under way.
  struct job {
    bool is_append = false;
    bool for_list = false;
    bool for_flush = false;
    /// Of a read.
    uint64_t sequence = 0;
    /// Of an append.
    uint64_t ticket = 0;
  };

  struct append_job {
    std::optional<user_handle> user;
    std::shared_ptr<const std::string> record;
    log_position version;
    list_digest digest;
  };

  /// A list that was asked for and read.
  struct base {
    uint64_t sequence = 0;
    channel_list channels;
    bool is_lost = false;
  };

  list_state& state_of(user_handle user);
  list_changes changes_of(user_handle user) const;
  void save_changes(byte_writer& out) const;
  void load_lists(byte_reader& in, const presence_ledger& ledger);
  void load_changes(byte_reader& in, const presence_ledger& ledger);
  void load_cache(byte_reader& in, const presence_ledger& ledger);
  void claim_recovered(user_handle user, const presence_record& record);
  void adopt(user_handle user, const member_stub& x);
  void note_changes(user_handle user, const presence_record& record);
  void change_list(user_handle user, const presence_record& record);
  void place_in_cache(user_handle user, const presence_record& record,
                      const presence_outcome& outcome);
  void forget(user_handle user, const presence_record& record);
  std::optional<list_digest> newest_digest(user_handle user) const;
  void become_clean(user_handle user);
  bool is_at_hand(user_handle user) const;
  static size_t weight_of(const dirty_list& x) noexcept;
  void stand_in_line(user_handle user, dirty_list& x);
  void leave_line(user_handle user, dirty_list& x);
  const job* job_of(user_handle user) const;
  void begin_read(user_handle user, bool for_list, bool for_flush);
  void lose(user_handle user);
  void tell_lost(user_handle user);
  void use_read(user_handle user, const job& was, std::string_view record);
  void flush(user_handle user);
  void write_list(user_handle user, const channel_list& base);
  void keep_oversized(dirty_list& x, const channel_list& list);
  void begin_append(user_handle user, std::string record, log_position version,
                    list_digest digest);
  void pump_flushes();
  void pump_moves(time_point now);
  bool has_room() const noexcept;
  void hand_out(time_point now, member_work& out);

  membership_config config_;
  store_ledger store_;
  member_cache cache_;
  /// By handle.
  std::vector<list_state> lists_;
  std::unordered_map<user_handle, dirty_list> dirty_;
  /// Dirty users in the order of their records.
  std::set<std::pair<uint64_t, user_handle>> line_;
  /// Where the last one was taken from the line.
  std::pair<uint64_t, user_handle> hand_;
  std::unordered_map<user_handle, job> jobs_;
  std::unordered_map<uint64_t, user_handle> reading_;
  std::unordered_map<uint64_t, append_job> appending_;
  std::unordered_map<user_handle, base> bases_;
  /// Records found at the start whose user did not come up yet.
  std::unordered_map<std::string, member_stub> recovered_;
  std::vector<user_handle> lost_;
  /// Whose records were not there while the log was replayed.
  std::set<user_handle> missing_;
  // What take_work hands out next, and what was handed out in vain.
  std::vector<uint64_t> reads_due_;
  std::vector<uint64_t> appends_due_;
  std::vector<uint64_t> reads_failed_;
  std::vector<uint64_t> appends_failed_;
  time_point retry_at_{};
  token_bucket move_credit_;
  /// Bytes that may be moved because so much was written.
  uint64_t moves_earned_ = 0;
  std::vector<store_ledger::candidate> movable_;
  size_t changes_bytes_ = 0;
  size_t oversized_ = 0;
  size_t append_bytes_ = 0;
  uint64_t next_ticket_ = 1;
  bool is_flushing_ = false;
  bool is_replayed_ = false;
  uint64_t reads_ = 0;
  uint64_t appends_ = 0;
  uint64_t moves_ = 0;
  uint64_t lost_count_ = 0;
};

} // namespace fantail
