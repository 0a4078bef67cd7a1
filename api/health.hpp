// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// One part of a node that can be well or not by itself: a link to NATS,
/// presence, routing, storage.
struct component_health {
  enum class condition { ok, starting, failing };

  std::string name;
  condition status = condition::starting;
  /// One line for people; may be empty.
  std::string detail;
  /// When it came into this condition.
  std::chrono::system_clock::time_point since;
};

std::string_view to_string(component_health::condition x);

/// No component fails. One that starts is not a reason to restart the node.
bool is_healthy(const std::vector<component_health>& components);

/// Every component is well, and there is one: the node does its work.
bool is_ready(const std::vector<component_health>& components);

/// `{"status": worst of all, "components": [...]}`.
json::value health_report(const std::vector<component_health>& components);

/// `{"ready": ..., "waiting_for": [names]}`.
json::value ready_report(const std::vector<component_health>& components);

/// Such as `2026-01-31T08:15:00Z`.
std::string to_utc(std::chrono::system_clock::time_point x);

} // namespace fantail
