// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/presence/name_arena.hpp"
#include "core/snapshot/byte_reader.hpp"
#include "core/snapshot/byte_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// Gives the users of one presence shard small dense handles; those of removed
/// users are given again, the last removed first, so equal histories give
/// equal handles. Open addressing with linear probing and deletion by shifting
/// back (D. Knuth, The Art of Computer Programming 3, 6.4, algorithm R). Not
/// thread safe.
///
/// Invariants: (1) every user is found under its name; (2) at most 7 of 8
/// slots are used.
class user_directory {
public:
  user_directory();

  std::optional<user_handle> find(std::string_view name) const;

  /// REQUIRES: `name` is a token that has no handle yet.
  user_handle add(std::string_view name);

  /// REQUIRES: `user` has a name.
  void remove(user_handle user);

  /// REQUIRES: `user` has a name. Valid until the user is removed.
  std::string_view name_of(user_handle user) const {
    return names_.at(places_[user.value]);
  }

  size_t size() const noexcept { return size_; }

  /// Every handle ever given is smaller.
  uint32_t handle_end() const noexcept {
    return static_cast<uint32_t>(places_.size());
  }

  /// Calls `f(user_handle)` for every user, by handle.
  template <class F>
  void for_each(F f) const {
    std::vector<bool> is_free(places_.size());
    for (auto handle : free_)
      is_free[handle] = true;
    for (uint32_t handle = 0; handle < places_.size(); ++handle)
      if (!is_free[handle])
        f(user_handle{handle});
  }

  /// Writes names and handles; those free are given again in the same order.
  void save(byte_writer& out) const;

  /// Reads them into this empty directory, and checks them.
  void load(byte_reader& in);

  size_t byte_count() const noexcept;

  /// What is wrong with the state, or nothing.
  std::optional<std::string> check_invariants() const;

private:
  static constexpr uint32_t empty = UINT32_MAX;

  size_t home_of(std::string_view name) const noexcept;
  size_t slot_of(std::string_view name) const noexcept;
  void grow();

  name_arena names_;
  /// By handle.
  std::deque<name_arena::place> places_;
  /// Handles, or `empty`; their number is a power of two.
  std::vector<uint32_t> slots_;
  std::vector<uint32_t> free_;
  size_t size_ = 0;
};

} // namespace fantail
