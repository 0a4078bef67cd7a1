// SPDX-License-Identifier: MIT
#pragma once

#include "api/health.hpp"
#include "runtime/http/http_server.hpp"
#include "runtime/profile/cpu_profiler.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fantail {

/// Remembers since when each component is in its condition. Thread safe.
class health_board {
public:
  /// Fills in `since` of what is now the case.
  std::vector<component_health> update(std::vector<component_health> now);

private:
  std::mutex mutex_;
  std::map<std::string, component_health> last_;
};

/// The HTTP side of a node.
struct http_parts {
  health_board health;
  cpu_profiler profiler;
  std::unique_ptr<http_server> server;
};

} // namespace fantail
