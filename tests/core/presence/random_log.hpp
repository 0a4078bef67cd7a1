// SPDX-License-Identifier: MIT
#pragma once

#include "core/presence/presence_codec.hpp"

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fantail {

inline presence_update make(presence_op op, std::string session = {},
                            std::string instance = {}) {
  presence_update x;
  x.op = op;
  x.session = std::move(session);
  x.instance = std::move(instance);
  return x;
}

inline presence_update with(presence_update x,
                            const std::vector<std::string>& channels) {
  x.has_channels = true;
  for (auto& name : channels)
    x.channels.push_back(name);
  return x;
}

/// The truth: what the log says, applied naively.
struct model_user {
  std::map<std::string, std::string> sessions;
  std::set<std::string> channels;
};

struct random_log {
  std::mt19937_64 random;
  std::map<std::string, model_user> users;

  explicit random_log(uint64_t seed) : random(seed) {}

  std::string pick(std::string prefix, uint64_t count) {
    return prefix += std::to_string(random() % count);
  }

  std::vector<std::string> pick_channels() {
    std::vector<std::string> result(random() % 5);
    for (auto& name : result)
      name = pick("c", 30);
    return result;
  }

  std::pair<std::string, presence_update> next() {
    auto user = pick("u", 20);
    auto session = pick("s", 4);
    switch (random() % 8) {
    case 0:
    case 1:
      return {user, make(presence_op::online, session, pick("i", 5))};
    case 2:
      return {user, with(make(presence_op::online, session, pick("i", 5)),
                         pick_channels())};
    case 3:
    case 4:
      return {user, make(random() % 2 == 0 ? presence_op::offline
                                           : presence_op::expire,
                         session)};
    case 5:
      return {user, with(make(presence_op::set), pick_channels())};
    case 6:
      return {user, with(make(presence_op::join), pick_channels())};
    default:
      return {user, with(make(presence_op::leave), pick_channels())};
    }
  }

  /// Returns false if the record is to be refused.
  bool apply(const std::string& name, const presence_update& update) {
    auto& user = users[name];
    std::set<std::string> named{update.channels.begin(), update.channels.end()};
    switch (update.op) {
    case presence_op::online:
      user.sessions[update.session] = update.instance;
      if (update.has_channels)
        user.channels = named;
      return true;
    case presence_op::offline:
    case presence_op::expire:
      return user.sessions.erase(update.session) > 0;
    case presence_op::set:
      user.channels = named;
      return true;
    case presence_op::join:
      user.channels.insert(named.begin(), named.end());
      return true;
    default:
      for (auto& channel : named)
        user.channels.erase(channel);
      return true;
    }
  }
};

} // namespace fantail
