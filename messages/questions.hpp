// SPDX-License-Identifier: MIT
#pragma once

#include "core/presence/presence_query.hpp"
#include "core/routing/channel_scan.hpp"
#include "core/routing/channel_watches.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Questions about presence, and who wants to be told of changes.
namespace fantail {

/// Somebody asks who is online, or wants to be told.
struct presence_asked {
  enum class kind { query, watch };
  kind what;
  presence_topic topic;
  std::string body;
  std::string reply_to;
};

/// Which users are online in a channel? Answered with channel_users_found.
struct find_channel_users {
  uint64_t question;
  std::string channel;
  user_key from;
  uint32_t limit;
};

struct channel_users_found {
  uint64_t question;
  shard_id shard;
  /// Deltas applied when the search began.
  uint64_t version;
  std::vector<std::pair<instance_index, uint32_t>> online;
  std::vector<channel_scan::found_user> users;
  std::optional<user_key> next;
};

/// Sent by a routing shard to itself, to search on after other work.
struct search_on {};

/// How are these users called? Answered with users_named.
struct name_users {
  uint64_t question;
  shard_id shard;
  std::vector<user_handle> users;
};

/// The names, in the order of the question; empty for those who are not online
/// any more.
struct users_named {
  uint64_t question;
  presence_shard_id from;
  std::vector<std::string> names;
};

/// Where is a user? Answered with user_found.
struct find_user {
  uint64_t question;
  std::string user;
};

struct user_found {
  uint64_t question;
  log_position version;
  std::vector<std::pair<std::string, instance_index>> sessions;
};

/// From now on changes of this user are wanted, or not.
struct watch_user {
  std::string user;
  bool is_on;
};

struct user_presence_changed {
  std::string user;
  log_position version;
  std::vector<instance_index> instances;
};

/// From now on it is wanted who comes and goes in this channel, or not.
struct watch_channel {
  std::string channel;
  bool is_on;
};

struct channel_presence_changed {
  uint64_t version;
  std::vector<watched_change> changes;
  /// Channels where somebody came or went whose name is not known.
  std::vector<std::string> missed;
};

/// From now on deltas for `shard` name their users, or not.
struct name_changes {
  shard_id shard;
  bool is_on;
};

} // namespace fantail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::presence_asked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::find_channel_users)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::channel_users_found)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::search_on)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::name_users)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::users_named)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::find_user)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::user_found)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::watch_user)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::user_presence_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::watch_channel)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::channel_presence_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::name_changes)
