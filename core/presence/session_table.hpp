// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/presence/name_arena.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

namespace fantail {

/// The sessions of one presence shard, in small dense slots; a user's sessions
/// are chained, newest first. Slots of removed sessions are given again. Not
/// thread safe.
class session_table {
public:
  using slot = uint32_t;
  static constexpr slot none = UINT32_MAX;

  struct session {
    name_arena::place name = 0;
    user_handle user;
    /// The next session of the same user, or `none`.
    slot next = none;
    /// Tick of the newest `online` of this session.
    uint32_t online_tick = 0;
    instance_index instance;
    /// Its time to live ran out and that was reported.
    bool is_expired = false;
    /// Its instance left; nothing but a new `online` keeps it.
    bool is_ended = false;
  };

  /// Adds a session in front of the chain that begins at `head`.
  slot add(std::string_view name, user_handle user, slot& head);

  /// REQUIRES: `x` is in the chain that begins at `head`.
  void remove(slot x, slot& head);

  /// The session called `name` in the chain at `head`, or `none`.
  slot find(std::string_view name, slot head) const;

  session& operator[](slot x) { return sessions_[x]; }
  const session& operator[](slot x) const { return sessions_[x]; }

  std::string_view name_of(slot x) const {
    return names_.at(sessions_[x].name);
  }

  /// Every slot in use is below this one.
  slot slot_end() const noexcept { return static_cast<slot>(sessions_.size()); }

  size_t size() const noexcept { return sessions_.size() - free_.size(); }
  size_t byte_count() const noexcept;

private:
  name_arena names_;
  std::deque<session> sessions_;
  std::vector<slot> free_;
};

} // namespace fantail
