// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "core/presence/question_book.hpp"
#include "core/presence/watch_book.hpp"
#include "messages/protocol.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// Answers questions about presence, and tells those who watch it.
///
///     anybody ─presence_asked─► presence_desk ─► routing shard of the channel
///                                             ─► presence shards of the users
struct presence_desk_deps {
  environment env;
  std::vector<routing_shard_actor> routing;
  std::vector<presence_shard_actor> presence;
  /// Names this life of the node.
  std::string life;
  duration watch_lease = limits::watch_lease_default;
  duration watch_interval = limits::watch_interval_default;
};

struct presence_desk_state {
  static inline const char* name = "presence_desk";
  /// Who asks, asks again.
  static constexpr bool leaves_out_failed = true;
  using handle = presence_desk_actor;

  presence_desk_actor::pointer self = nullptr;
  presence_desk_deps deps;
  std::optional<question_book> questions;
  std::optional<watch_book> watches;
  time_point now{};
  /// Until presence is replayed, nobody knows who is online.
  bool is_open = false;
  /// Watched channels by routing shard.
  std::vector<size_t> watched_channels;

  void start(presence_desk_deps x);
  void recover() {}
  void on_asked(const presence_asked& x);
  void on_found(const channel_users_found& x);
  void on_named(const users_named& x);
  void on_user(const user_found& x);
  void on_user_changed(const user_presence_changed& x);
  void on_channel_changed(const channel_presence_changed& x);
  void on_tick(const tick& x);

private:
  void query_user(const presence_asked& x);
  void query_channel(const presence_asked& x);
  void watch(const presence_asked& x);
  bool has_room_for(const presence_topic& topic) const;
  void turn(const presence_topic& topic, bool is_on);
  shard_id shard_of_channel(const std::string& channel) const;
  presence_shard_actor& home_of(const std::string& user);
  void answer(const std::optional<question_book::reply>& x);
  void refuse(const presence_asked& x, control_reject reason,
              const std::string& detail);
};

presence_desk_actor::behavior_type
presence_desk(component<presence_desk_actor, presence_desk_state>* self,
              presence_desk_deps deps);

} // namespace fantail
