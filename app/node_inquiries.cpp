// SPDX-License-Identifier: MIT
// What is asked of the actors of a node.
#include "app/node_tree.hpp"
#include "core/hash.hpp"
#include "core/limits.hpp"
#include "messages/inspection.hpp"

#include <caf/send.hpp>

namespace fantail {

std::shared_ptr<inspection> node_tree::inspect(size_t top) const {
  auto result = std::make_shared<inspection>(
      shards_.size() + presence_.size() + egresses_.size(), top);
  auto ask = [&result](auto& group) {
    for (auto& x : group)
      caf::anon_send(x, inspect_node{result});
  };
  ask(shards_);
  ask(presence_);
  ask(egresses_);
  return result->wait(2s) ? result : nullptr;
}

std::shared_ptr<route_inspection>
node_tree::inspect_routes_of(std::vector<std::string> channels) const {
  auto result
      = std::make_shared<route_inspection>(std::move(channels), shards_.size());
  for (auto& x : shards_)
    caf::anon_send(x, inspect_routes{result});
  return result->wait(2s) ? result : nullptr;
}

std::shared_ptr<inspection> node_tree::inspect_instances() const {
  auto result = std::make_shared<inspection>(
      presence_.size() + egresses_.size() + 1, 0);
  for (auto& x : presence_)
    caf::anon_send(x, inspect_node{result});
  for (auto& x : egresses_)
    caf::anon_send(x, inspect_node{result});
  caf::anon_send(instances_, inspect_node{result});
  return result->wait(limits::operator_timeout) ? result : nullptr;
}

std::optional<std::vector<shard_ranking>>
node_tree::rank_channels(channel_order order, size_t top) const {
  auto result = std::make_shared<gathering<shard_ranking>>(shards_.size());
  for (auto& x : shards_)
    caf::anon_send(x, inspect_channels{order, top, result});
  return result->wait(limits::operator_timeout);
}

std::optional<route_explanation>
node_tree::explain_route_of(const std::string& channel) const {
  auto result = std::make_shared<gathering<route_explanation>>();
  auto shard = shard_of(channel, config_.cluster.shards);
  caf::anon_send(shards_[shard.value], explain_route{channel, result});
  auto said = result->wait(limits::operator_timeout);
  return said ? std::optional{std::move(said->front())} : std::nullopt;
}

std::optional<user_explanation>
node_tree::explain_user_of(const std::string& user) const {
  auto result = std::make_shared<gathering<user_explanation>>();
  auto shard = presence_shard_of(user, config_.cluster.presence_shards);
  caf::anon_send(presence_[shard.value], explain_user{user, result});
  auto said = result->wait(limits::operator_timeout);
  return said ? std::optional{std::move(said->front())} : std::nullopt;
}

} // namespace fantail
