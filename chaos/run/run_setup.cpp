// SPDX-License-Identifier: MIT
#include "chaos/run/run_setup.hpp"

#include <algorithm>

namespace fantail::chaos {

world_config world_of(const chaos_options& x) {
  world_config result;
  result.users = x.users;
  result.channels = x.channels;
  result.instances = static_cast<instance_number>(x.instances);
  result.spread = std::min(result.spread, result.instances);
  result.seed = x.seed;
  return result;
}

history_head head_of(const run_options& options) {
  auto& x = options.rest;
  history_head result;
  result.build = x.build;
  result.plan = options.what.name;
  result.seed = x.seed;
  for (uint32_t i = 0; i < x.instances; ++i)
    result.formats.push_back(world::format_of(static_cast<instance_number>(i)));
  auto number = [](double value) {
    return std::to_string(static_cast<uint64_t>(value));
  };
  result.settings
      = {"duration=" + x.duration,         "rate=" + number(x.rate),
         "churn=" + number(x.churn),       "users=" + number(x.users),
         "channels=" + number(x.channels), "instances=" + number(x.instances)};
  result.settings.insert(result.settings.end(), x.node_settings.begin(),
                         x.node_settings.end());
  return result;
}

std::vector<std::string> node_settings_of(const chaos_options& x,
                                          uint16_t shards,
                                          bool has_disk_in_memory) {
  std::vector<std::string> result{
      "node.name=chaos", "cluster.shards=" + std::to_string(shards),
      "nats.stream-bytes-max=512MiB",
      has_disk_in_memory ? "nats.retention=1min" : "nats.retention=2min",
      "nats.duplicate-window=1min"};
  result.insert(result.end(), x.node_settings.begin(), x.node_settings.end());
  return result;
}

} // namespace fantail::chaos
