// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"
#include "core/presence/presence_ledger.hpp"
#include "core/routing/channel_ranking.hpp"
#include "core/routing/shard_router.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What operators ask actors, besides messages/inspection.hpp. An answer goes
/// into an object that both sides hold, so nobody waits but the asker.
namespace fantail {

/// Where answers are collected. Thread safe.
template <class T>
class gathering {
public:
  /// So many actors will answer.
  explicit gathering(size_t parts = 1) : missing_(parts) {}

  void add(T x) {
    std::lock_guard guard{mutex_};
    answers_.push_back(std::move(x));
    if (missing_ > 0 && --missing_ == 0)
      done_.notify_all();
  }

  /// All answers, or nothing if some are missing after `timeout`: an actor
  /// hangs.
  std::optional<std::vector<T>> wait(std::chrono::nanoseconds timeout) {
    std::unique_lock guard{mutex_};
    if (!done_.wait_for(guard, timeout, [this] { return missing_ == 0; }))
      return std::nullopt;
    return answers_;
  }

private:
  std::mutex mutex_;
  std::condition_variable done_;
  size_t missing_;
  std::vector<T> answers_;
};

/// What an actor says of its own state: fields of the admin API.
struct actor_description {
  json::object what;
};

/// What a routing shard says of its first channels.
struct shard_ranking {
  shard_id shard;
  std::vector<ranked_channel> channels;
  uint64_t channels_total = 0;
  double cost_per_second = 0;
};

/// What a routing shard says of one channel.
struct route_explanation {
  channel_route route;
  /// Deltas applied, and up to where the shard has routed.
  uint64_t table_version = 0;
  position routed_to;
  /// By presence shard: up to where the table is complete.
  std::vector<log_position> presence;
};

/// What a presence shard says of one user; nothing if nobody knows it.
struct user_explanation {
  std::optional<presence_ledger::user_state> state;
};

/// Understood by every actor, also by one that is suspended.
struct describe_actor {
  std::shared_ptr<gathering<actor_description>> into;
};

/// To a routing shard.
struct inspect_channels {
  channel_order order;
  size_t top;
  std::shared_ptr<gathering<shard_ranking>> into;
};

/// To the routing shard of the channel.
struct explain_route {
  std::string channel;
  std::shared_ptr<gathering<route_explanation>> into;
};

/// To the presence shard of the user.
struct explain_user {
  std::string user;
  std::shared_ptr<gathering<user_explanation>> into;
};

} // namespace fantail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::describe_actor)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::inspect_channels)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::explain_route)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::explain_user)
