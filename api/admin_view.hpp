// SPDX-License-Identifier: MIT
#pragma once

#include "api/admin_token.hpp"
#include "api/audit_log.hpp"
#include "api/health.hpp"
#include "api/node_watch.hpp"
#include "core/inspection/actor_control.hpp"
#include "core/inspection/actor_directory.hpp"
#include "core/inspection/event_log.hpp"
#include "core/instance_directory.hpp"
#include "core/telemetry.hpp"
#include "messages/inspection.hpp"
#include "messages/operators.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// What /api/v1 sees of a node. Pointers and what the functions use outlive the
/// routes; the functions are called on threads of the HTTP server. Those that
/// ask actors give up after limits::operator_timeout and return nothing.
struct admin_view {
  std::string name;
  /// Names this life of the node.
  std::string incarnation;
  std::map<std::string, std::string> versions;
  std::chrono::system_clock::time_point started_at;
  std::string nats_url;
  uint64_t memory_limit = 0;

  const clock_port* clock = nullptr;
  telemetry::node* counts = nullptr;
  const instance_directory* instances = nullptr;
  const actor_directory* actors = nullptr;
  actor_control_port* control = nullptr;
  const node_watch* watch = nullptr;
  const event_log* events = nullptr;
  report_port* reports = nullptr;
  const admin_token* token = nullptr;
  audit_log* audit = nullptr;

  /// Every component by itself; must not wait.
  std::function<std::vector<component_health>()> health;
  /// Asks presence shards, egresses and the registrar.
  std::function<std::shared_ptr<inspection>()> inspect_instances;
  /// Asks every routing shard.
  std::function<std::optional<std::vector<shard_ranking>>(channel_order,
                                                          size_t top)>
      rank_channels;
  /// Asks the shard of the channel.
  std::function<std::optional<route_explanation>(const std::string&)>
      explain_route;
  /// Asks the presence shard of the user.
  std::function<std::optional<user_explanation>(const std::string&)>
      explain_user;
};

} // namespace fantail
