// SPDX-License-Identifier: MIT
#pragma once

#include "core/hash.hpp"
#include "core/presence/delta.hpp"
#include "core/routing/routing_table.hpp"

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

namespace fantail {

/// The routing table as one would write it on a napkin: sets of strings and
/// no cleverness. The property tests compare the real one with it.
class naive_table {
public:
  using place = std::pair<std::string, instance_index>;
  using user_id = std::pair<presence_shard_id, user_handle>;

  struct user {
    std::set<std::string> channels;
    std::set<instance_index> instances;
  };

  /// Returns the places that the change vacated.
  std::set<place> apply(presence_shard_id home, const user_change& change) {
    auto before = std::move(places_);
    auto& who = users[{home, change.user}];
    std::set<std::string> named;
    for (auto name : change.channels)
      named.emplace(name);
    switch (change.what) {
    case user_change::kind::add_instance:
      who.instances.insert(change.instance);
      break;
    case user_change::kind::remove_instance:
      who.instances.erase(change.instance);
      break;
    case user_change::kind::set_channels:
      who.channels = named;
      break;
    case user_change::kind::join_channels:
      who.channels.insert(named.begin(), named.end());
      break;
    case user_change::kind::leave_channels:
      for (auto& name : named)
        who.channels.erase(name);
    }
    places_ = places();
    std::set<place> vacated;
    for (auto& [where, count] : before)
      if (!places_.contains(where))
        vacated.insert(where);
    return vacated;
  }

  /// (channel, instance) -> number of users.
  std::map<place, uint32_t> places() const {
    std::map<place, uint32_t> result;
    for (auto& [id, who] : users)
      for (auto& channel : who.channels)
        for (auto instance : who.instances)
          ++result[{channel, instance}];
    return result;
  }

  std::map<std::string, uint32_t> members() const {
    std::map<std::string, uint32_t> result;
    for (auto& [id, who] : users)
      for (auto& channel : who.channels)
        ++result[channel];
    return result;
  }

  std::map<user_id, user> users;

private:
  std::map<place, uint32_t> places_;
};

/// Random changes over a small world, so that everything collides.
class change_generator {
public:
  using engine = std::mt19937_64;

  change_generator(uint64_t seed, uint32_t users, uint32_t channels,
                   uint16_t instances)
      : random_(seed), users_(users), channels_(channels),
        instances_(instances) {}

  uint32_t below(uint32_t bound) {
    return static_cast<uint32_t>(random_() % bound);
  }

  /// Names of every length, up to the longest a token may have.
  std::string channel(uint32_t index) const {
    auto name = "c" + std::to_string(index);
    name.append(index * 7 % (limits::token_bytes_max - name.size()), '-');
    return name;
  }

  presence_shard_id home() {
    return presence_shard_id{static_cast<uint16_t>(below(3))};
  }

  user_change next() {
    user_change result;
    result.what = static_cast<user_change::kind>(below(5));
    result.user = user_handle{below(users_)};
    // Few instances are frequent, so that counts rise and rows stay mixed.
    auto bound = below(4) == 0 ? instances_ : uint16_t{5};
    result.instance = instance_index{static_cast<uint16_t>(below(bound))};
    result.stored_at_ns = ++now_;
    auto sets = result.what == user_change::kind::set_channels;
    auto few = sets && below(3) == 0 ? 0 : below(12);
    if (result.what >= user_change::kind::set_channels)
      for (uint32_t i = 0; i < few; ++i)
        result.channels.push_back(channel(below(channels_)));
    return result;
  }

private:
  engine random_;
  uint32_t users_;
  uint32_t channels_;
  uint16_t instances_;
  int64_t now_ = 0;
};

} // namespace fantail
