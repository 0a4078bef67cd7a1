// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace fantail::bench {

/// Which instances have members in which channels, in three numbers: those of
/// a population in the shape `spread` (bench/population.hpp), if it
/// has_exact_spread.
struct channel_placement {
  uint32_t channels = 100'000;
  uint16_t instances = 20;
  /// Instances per channel, at most `instances`.
  uint16_t spread = 5;

  /// The instance in place `slot` (< spread) of `channel`; those of a channel
  /// are different.
  constexpr uint16_t instance_of(uint32_t channel, uint16_t slot) const {
    return static_cast<uint16_t>((channel % instances + slot) % instances);
  }

  bool operator==(const channel_placement&) const = default;
};

/// The number in a channel's name (`ch_00000042`), or nothing.
std::optional<uint32_t> channel_number(std::string_view name);

/// The placement as an array, the cheapest table there is.
class channel_map {
public:
  explicit channel_map(const channel_placement& placement);

  /// REQUIRES: `channel` is one of the placement's.
  std::span<const uint16_t> instances_of(uint32_t channel) const {
    return {cells_.data() + size_t{channel} * spread_, spread_};
  }

  uint32_t channels() const noexcept { return channels_; }

private:
  uint32_t channels_;
  uint16_t spread_;
  std::vector<uint16_t> cells_;
};

} // namespace fantail::bench
