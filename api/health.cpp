// SPDX-License-Identifier: MIT
#include "api/health.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace fantail {

using condition = component_health::condition;

std::string_view to_string(condition x) {
  switch (x) {
  case condition::ok:
    return "ok";
  case condition::starting:
    return "starting";
  default:
    return "failing";
  }
}

bool is_healthy(const std::vector<component_health>& components) {
  return std::ranges::none_of(components, [](const component_health& x) {
    return x.status == condition::failing;
  });
}

bool is_ready(const std::vector<component_health>& components) {
  auto all_ok = std::ranges::all_of(components, [](const component_health& x) {
    return x.status == condition::ok;
  });
  return all_ok && !components.empty();
}

json::value health_report(const std::vector<component_health>& components) {
  json::array parts;
  for (auto& x : components)
    parts.push_back(json::object{{"name", x.name},
                                 {"status", to_string(x.status)},
                                 {"detail", x.detail},
                                 {"since", to_utc(x.since)}});
  auto worst = is_ready(components)     ? condition::ok
               : is_healthy(components) ? condition::starting
                                        : condition::failing;
  return json::object{{"status", to_string(worst)},
                      {"components", std::move(parts)}};
}

json::value ready_report(const std::vector<component_health>& components) {
  json::array missing;
  for (auto& x : components)
    if (x.status != condition::ok)
      missing.push_back(x.name);
  return json::object{{"ready", is_ready(components)},
                      {"waiting_for", std::move(missing)}};
}

std::string to_utc(std::chrono::system_clock::time_point x) {
  auto seconds = std::chrono::system_clock::to_time_t(x);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  auto size
      = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

} // namespace fantail
