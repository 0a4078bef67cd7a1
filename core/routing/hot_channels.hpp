// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fantail {

/// Which channels of one shard cost most lately, in deliveries per second: a
/// sample of the events in a bounded sketch (the space-saving algorithm: A.
/// Metwally, D. Agrawal and A. El Abbadi, Efficient Computation of Frequent
/// and Top-k Elements in Data Streams, 2005), of which there are two, the last
/// and the current one.
///
/// A channel with more than 1/256 of the deliveries is in it, and what is said
/// of it is never too much. Not thread safe.
class hot_channels {
public:
  /// Events per sample, on average: what routing pays per event has to stay
  /// below 10 ns.
  static constexpr uint32_t stride = 32;
  static constexpr size_t channels_max = 256;
  /// A sketch is the current one for so long.
  static constexpr duration period = std::chrono::seconds{5};

  struct heat {
    std::string channel;
    double events_per_second = 0;
    double cost_per_second = 0;
  };

  /// An event of `channel` goes to `spread` instances.
  void count(std::string_view channel, uint32_t spread) {
    deliveries_ += spread;
    if (--until_next_ > 0)
      return;
    // Irregular, or a channel that comes in turn would be met always or never.
    random_ = random_ * 1664525u + 1013904223u;
    until_next_ = 1 + (random_ >> 16) % (2 * stride - 1);
    if (spread > 0)
      current_.add(channel, uint64_t{spread} * stride);
  }

  /// Time passes. Call it about once per second.
  void tick(time_point now);

  /// Most expensive first.
  std::vector<heat> top(size_t max, time_point now) const;

  /// Deliveries per second of all channels together.
  double cost_per_second(time_point now) const;

private:
  class sketch {
  public:
    struct entry {
      /// Of the events that are counted for sure.
      uint64_t events = 0;
      uint64_t cost = 0;
      /// Inherited from whom it displaced: `cost` may be too high by that.
      uint64_t error = 0;
    };

    void add(std::string_view channel, uint64_t cost);
    const auto& entries() const noexcept { return entries_; }

  private:
    struct name_hash {
      using is_transparent = void;
      size_t operator()(std::string_view x) const noexcept {
        return std::hash<std::string_view>{}(x);
      }
    };
    std::unordered_map<std::string, entry, name_hash, std::equal_to<>> entries_;
  };

  double seconds(time_point now) const;

  sketch last_;
  sketch current_;
  uint64_t last_deliveries_ = 0;
  uint64_t deliveries_ = 0;
  uint32_t until_next_ = stride;
  uint32_t random_ = 1;
  time_point last_begin_{};
  time_point begin_{};
};

} // namespace fantail
