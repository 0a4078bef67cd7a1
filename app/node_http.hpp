// SPDX-License-Identifier: MIT
#pragma once

#include "api/admin_token.hpp"
#include "api/audit_log.hpp"
#include "api/health.hpp"
#include "api/node_watch.hpp"
#include "runtime/http/http_server.hpp"
#include "runtime/profile/cpu_profiler.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

class node_tree;

/// Remembers since when each component is in its condition. Thread safe.
class health_board {
public:
  /// Fills in `since` of what is now the case.
  std::vector<component_health> update(std::vector<component_health> now);

private:
  std::mutex mutex_;
  std::map<std::string, component_health> last_;
};

/// What the HTTP side asks the actors of a node.
struct http_sources {
  node_tree* tree = nullptr;
  std::function<bool()> is_ready;
};

/// The HTTP side of a node. Members stand in the order in which they need each
/// other.
struct http_parts {
  health_board health;
  cpu_profiler profiler;
  std::optional<admin_token> token;
  std::optional<audit_log> audit;
  std::optional<node_watch> watch;
  std::unique_ptr<http_server> server;
};

} // namespace fantail
