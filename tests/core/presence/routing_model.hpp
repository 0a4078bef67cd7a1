// SPDX-License-Identifier: MIT
#pragma once

#include "core/presence/presence_ledger.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace fantail {

/// What the routing shards know after the changes a ledger told them: the
/// semantics of core/presence/delta.hpp, naively. It complains about changes
/// that tell nothing new, because the ledger promises not to send them.
class routing_model {
public:
  struct known_user {
    std::set<instance_index> instances;
    std::set<std::string> channels;
    bool operator==(const known_user&) const = default;
  };

  /// Returns what is wrong with the change, or nothing.
  std::string apply(const std::string& user, const routed_change& routed) {
    auto& change = routed.change;
    auto& owner = owners_[change.user];
    if (owner != user && knows(change.user))
      return "handle of " + owner + " was given to " + user + " too early";
    owner = user;
    auto& known = shards_[routed.to][change.user];
    std::set<std::string> names{change.channels.begin(), change.channels.end()};
    switch (change.what) {
    case user_change::kind::add_instance:
      if (!known.instances.insert(change.instance).second)
        return "an instance was added twice";
      break;
    case user_change::kind::remove_instance:
      if (known.instances.erase(change.instance) == 0)
        return "an unknown instance was removed";
      break;
    case user_change::kind::set_channels:
      known.channels = names;
      break;
    case user_change::kind::join_channels:
      known.channels.insert(names.begin(), names.end());
      break;
    case user_change::kind::leave_channels:
      for (auto& name : names)
        known.channels.erase(name);
      break;
    }
    return {};
  }

  /// What `shard` knows of a user, under whichever handle.
  known_user of(shard_id shard, const std::string& user) const {
    known_user result;
    auto found = shards_.find(shard);
    if (found == shards_.end())
      return result;
    // Handles the user had before know nothing, so there is one at most.
    for (auto& [handle, known] : found->second)
      if (owners_.at(handle) == user && known != known_user{})
        result = known;
    return result;
  }

private:
  bool knows(user_handle user) const {
    for (auto& [shard, users] : shards_)
      if (auto i = users.find(user);
          i != users.end() && i->second != known_user{})
        return true;
    return false;
  }

  std::map<shard_id, std::map<user_handle, known_user>> shards_;
  std::map<user_handle, std::string> owners_;
};

} // namespace fantail
