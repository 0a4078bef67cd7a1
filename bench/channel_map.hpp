// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fantail::bench {

class population;

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

/// Which instances have members in which channels, as an array: the cheapest
/// table there is.
class channel_map {
public:
  explicit channel_map(const channel_placement& placement);

  /// Those of a population of any shape; asks every user for its channels.
  explicit channel_map(const population& world);

  /// What `save` wrote, for another process on this machine; nothing if the
  /// file is not whole.
  static std::optional<channel_map> load(const std::string& path);
  bool save(const std::string& path) const;

  /// REQUIRES: `channel` < channels().
  std::span<const uint16_t> instances_of(uint32_t channel) const {
    return {cells_.data() + begins_[channel],
            cells_.data() + begins_[channel + 1]};
  }

  uint32_t channels() const noexcept {
    return static_cast<uint32_t>(begins_.size() - 1);
  }

  /// Instances of a channel, on average.
  double spread() const noexcept;

  bool operator==(const channel_map&) const = default;

private:
  channel_map() = default;

  /// The cells of channel c are [begins_[c], begins_[c + 1]).
  std::vector<uint32_t> begins_;
  std::vector<uint16_t> cells_;
};

} // namespace fantail::bench
