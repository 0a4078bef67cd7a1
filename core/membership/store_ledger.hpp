// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/snapshot/byte_reader.hpp"
#include "core/snapshot/byte_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// Which record of an append-only stream is each user's newest, and what has
/// to be done so that the stream stays small: records are appended at the end
/// and leave at the head alone. While more than half of the stream is dead, the
/// oldest live record is to be *moved*: appended again, after which the head
/// before the next live one may be purged.
///
/// With random updates a quarter more is written for moving than for updates:
/// a fifth of what reaches the head is still alive. The stream stays below
/// twice the live bytes and `slack_bytes`.
///
/// Source: M. Rosenblum, J. Ousterhout, "The Design and Implementation of a
/// Log-Structured File System", ACM TOCS 10(1), 1992.
///
/// Not thread safe.
///
/// Invariants: (1) sequences rise along the records; (2) every user's place is
/// that of one record; (3) live bytes are the sum over places, stream bytes
/// over all records that are not purged.
class store_ledger {
public:
  /// Where a user's newest record is; sequence 0 is none.
  struct place {
    uint64_t sequence = 0;
    uint32_t bytes = 0;

    explicit operator bool() const noexcept { return sequence != 0; }
    bool operator==(const place&) const = default;
  };

  explicit store_ledger(uint64_t slack_bytes) : slack_bytes_(slack_bytes) {}

  /// The stream has this record, and it is nobody's. Like `put`, it returns
  /// false, and does nothing, if its sequence is not the highest.
  bool put_dead(place at);

  /// The record is the newest of `user`.
  bool put(user_handle user, place at);

  /// A record that is dead so far is the newest of `user`. False if there is
  /// no such record. Only until `settle` is called.
  bool claim(user_handle user, place at);

  /// Whatever is nobody's now is dead; before, nothing is moved or purged.
  void settle();

  /// The user's record is dead.
  void drop(user_handle user);

  place find(user_handle user) const noexcept {
    return user.value < places_.size() ? places_[user.value] : place{};
  }

  struct candidate {
    user_handle user;
    place at;
  };
  /// The oldest live records to be moved, at most `bytes_max` bytes of them,
  /// oldest first; none if less than half of the stream is dead.
  void list_movable(uint64_t bytes_max, std::vector<candidate>& out) const;

  /// Everything before this sequence may be purged; 0 if the gain is below
  /// `bytes_min`.
  uint64_t purgeable(uint64_t bytes_min) const noexcept;
  /// Everything before `sequence` is gone.
  void purged(uint64_t sequence);

  /// Writes all records, and whose they are.
  void save(byte_writer& out) const;
  /// Reads them into this fresh ledger, which is not settled then. Users have
  /// handles below `users`.
  void load(byte_reader& in, uint32_t users);

  uint64_t records_live() const noexcept { return live_; }
  uint64_t bytes_live() const noexcept { return live_bytes_; }
  uint64_t bytes_in_stream() const noexcept { return stream_bytes_; }
  /// The newest sequence known.
  uint64_t newest() const noexcept { return newest_; }
  size_t byte_count() const noexcept;

  std::optional<std::string> check_invariants() const;

private:
  static constexpr uint32_t nobody = UINT32_MAX;

  struct record {
    uint64_t sequence;
    uint32_t bytes;
    uint32_t user;
  };

  bool is_live(const record& x) const noexcept {
    return x.user != nobody && places_[x.user].sequence == x.sequence;
  }
  bool append(const record& x);
  void set_place(user_handle user, place at);
  void skip_dead();

  uint64_t slack_bytes_;
  /// By handle.
  std::vector<place> places_;
  /// Not purged, oldest first.
  std::deque<record> records_;
  /// Records at the head known to be dead, and their bytes.
  size_t dead_ahead_ = 0;
  uint64_t dead_ahead_bytes_ = 0;
  uint64_t live_ = 0;
  uint64_t live_bytes_ = 0;
  uint64_t stream_bytes_ = 0;
  uint64_t newest_ = 0;
  bool is_settled_ = false;
};

} // namespace fantail
