// SPDX-License-Identifier: MIT
#include "bench/channel_map.hpp"

#include <charconv>

namespace fantail::bench {

std::optional<uint32_t> channel_number(std::string_view name) {
  constexpr std::string_view prefix = "ch_";
  if (!name.starts_with(prefix))
    return std::nullopt;
  uint32_t result = 0;
  auto* end = name.data() + name.size();
  auto [stop, error]
      = std::from_chars(name.data() + prefix.size(), end, result);
  if (error != std::errc{} || stop != end)
    return std::nullopt;
  return result;
}

channel_map::channel_map(const channel_placement& placement)
    : channels_(placement.channels), spread_(placement.spread) {
  cells_.reserve(size_t{channels_} * spread_);
  for (uint32_t channel = 0; channel < channels_; ++channel)
    for (uint16_t slot = 0; slot < spread_; ++slot)
      cells_.push_back(placement.instance_of(channel, slot));
}

} // namespace fantail::bench
