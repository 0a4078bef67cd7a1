// SPDX-License-Identifier: MIT
#pragma once

#include "core/channel_list.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fantail {

/// Up to where the log of a presence shard is known or applied.
struct log_progress {
  log_life life;
  log_position up_to;

  bool operator==(const log_progress&) const = default;
};

/// What happened to one user, as one routing shard has to know it. The first
/// and the last session of a user on an instance are changes; those in between
/// are not.
struct user_change {
  enum class kind : uint8_t {
    /// The user came online on `instance`.
    add_instance,
    /// The user has no session on `instance` any more.
    remove_instance,
    /// `channels` are all of the user's channels in this shard.
    set_channels,
    /// `channels` were added.
    join_channels,
    /// `channels` were removed.
    leave_channels,
  };

  kind what = kind::add_instance;
  user_handle user;
  instance_index instance;
  /// Server time at which the change was stored, ns: chat events stored
  /// before it still go to a departing instance.
  int64_t stored_at_ns = 0;
  /// The record it comes from; 0 if it comes from none.
  log_position version;
  channel_list channels;
  /// Only while somebody watches a channel of the shard; else empty.
  std::string user_name;

  bool operator==(const user_change&) const = default;
};

/// User changes for one routing shard, in log order. Deltas are numbered
/// without gaps per (presence shard, routing shard), from 1.
struct presence_delta {
  presence_shard_id from;
  shard_id to;
  uint64_t number = 0;
  /// Everything up to here that concerns `to` is in this delta and those
  /// before it.
  log_progress log;
  std::vector<user_change> changes;
};

using presence_delta_ptr = std::shared_ptr<const presence_delta>;

} // namespace fantail
