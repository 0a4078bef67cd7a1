// SPDX-License-Identifier: MIT
#pragma once

#include "api/health.hpp"
#include "core/instance_directory.hpp"
#include "core/telemetry.hpp"
#include "messages/inspection.hpp"
#include "runtime/http/http_message.hpp"
#include "runtime/profile/cpu_profiler.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fantail {

/// What the API sees of a node. Pointers and what the functions use outlive
/// the routes; the functions are called on threads of the HTTP server.
struct node_view {
  std::string name;
  /// Of Fantail and of what it is made of: `{"fantail": "0.1.0", ...}`.
  std::map<std::string, std::string> versions;
  std::chrono::system_clock::time_point started_at;
  const telemetry::node* counts = nullptr;
  const instance_directory* instances = nullptr;
  /// Asks every actor, naming that many channels of each table; nullptr if
  /// some did not answer within 2 s.
  std::function<std::shared_ptr<inspection>(size_t top)> inspect;
  /// Asks every routing shard where events of these channels would go.
  std::function<std::shared_ptr<route_inspection>(std::vector<std::string>)>
      inspect_routes;
  /// Every component by itself; must not wait.
  std::function<std::vector<component_health>()> health;
  cpu_profiler* profiler = nullptr;
};

/// The routes of a node's admin API: /health, /ready, /metrics, /version,
/// /debug/routing-stats, /debug/routes, /debug/cache-stats, /debug/latency,
/// those of profile_api.hpp, `more`, and / which lists them.
std::vector<http_route> node_routes(node_view view,
                                    std::vector<http_route> more = {});

} // namespace fantail
