// SPDX-License-Identifier: MIT
#pragma once

#include "api/node_watch.hpp"
#include "core/inspection/actor_directory.hpp"
#include "core/json.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// One actor at one moment.
struct actor_look {
  actor_directory::record_ptr record;
  activity state = activity::away;
  vitals::reading signs;
  actor_journal::summary life;
  node_watch::actor_pace pace;
  uint64_t held = 0;
};

/// What is known of the actors of a node at one moment, without asking them.
/// Not thread safe.
class actor_views {
public:
  actor_views(const actor_directory& actors, const node_watch& watch,
              time_point now, int64_t unix_now_ns);

  int64_t unix_now_ns() const noexcept { return unix_now_ns_; }

  std::vector<actor_look> all() const;
  std::optional<actor_look> find(std::string_view id) const;
  /// The ids of an actor and of all below it, itself first.
  std::vector<std::string> subtree(std::string_view id) const;

  /// The schemas Actor, TreeNode and Tree of api/openapi.json.
  json::object summary(const actor_look& x) const;
  json::object tree() const;

  /// What ActorDetail has besides `summary` and internals.
  json::object details(const actor_look& x) const;

private:
  actor_look look(actor_directory::record_ptr record) const;
  json::object node_of(const actor_look& x) const;
  const supervision_board::child_row* row_of(const actor_record& x) const;
  const std::vector<std::string>& children_of(const std::string& id) const;
  json::value current_for(const actor_look& x) const;

  const actor_directory& actors_;
  const node_watch& watch_;
  int64_t now_ns_;
  int64_t unix_now_ns_;
  std::vector<actor_directory::record_ptr> records_;
  /// By supervisor, in the order in which they were declared.
  std::map<std::string, std::vector<std::string>> children_;
  /// What the supervisors say of their children, by path.
  std::map<std::string, supervision_board::state, std::less<>> boards_;
};

/// `routing_shard` is shown as `routing-shard`.
std::string type_of(const actor_record& x);

} // namespace fantail
