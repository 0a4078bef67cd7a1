// SPDX-License-Identifier: MIT
#include "api/channel_routes.hpp"

#include "core/subject.hpp"

namespace fantail {

namespace {

constexpr size_t channels_max = 100;

} // namespace

std::optional<std::vector<std::string>>
channels_of_query(std::string_view text) {
  std::vector<std::string> result;
  while (true) {
    auto comma = text.find(',');
    auto name = text.substr(0, comma);
    if (!is_token(name) || result.size() == channels_max)
      return std::nullopt;
    result.emplace_back(name);
    if (comma == std::string_view::npos)
      return result;
    text.remove_prefix(comma + 1);
  }
}

json::value channel_routes(const route_inspection& x,
                           const instance_directory& instances) {
  json::object result;
  for (auto& [channel, route] : x.routes()) {
    json::object stops, departing;
    for (auto& stop : route.stops)
      stops[std::string{instances.name_of(stop.instance)}] = stop.users;
    for (auto instance : route.departing)
      departing[std::string{instances.name_of(instance)}] = true;
    result[channel] = json::object{{"Members", route.members},
                                   {"Instances", std::move(stops)},
                                   {"Departing", std::move(departing)}};
  }
  return result;
}

} // namespace fantail
