// SPDX-License-Identifier: MIT
#pragma once

#include "bench/population.hpp"
#include "core/routing/shard_router.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace fantail::bench {

/// Called now and then with what is being done and how far it is, 0 to 1.
using progress_callback = std::function<void(std::string_view, double)>;

struct loaded_tables_config {
  population_config population;
  uint16_t shards = 8;
  /// Only the first so many shards are filled; 0 means all. A part stands for
  /// the whole where that would take too long.
  uint16_t shards_filled = 0;
  uint16_t presence_shards = 8;
};

/// The routing shards of a node, filled with a population by deltas, just as
/// the presence shards fill them. Only the time inside of the routers is
/// counted, so generating the population costs the result nothing.
class loaded_tables {
public:
  explicit loaded_tables(const loaded_tables_config& config);

  /// Brings every user online with all of its channels.
  void fill(const progress_callback& progress);

  /// Takes users offline and online again; returns the row updates done.
  uint64_t reconnect(uint32_t users, uint64_t seed);

  /// Core time spent inside of the routers by the last `fill` or `reconnect`.
  std::chrono::nanoseconds time_inside() const noexcept { return inside_; }

  const population& world() const noexcept { return world_; }
  std::vector<shard_router>& routers() noexcept { return routers_; }
  uint16_t shard_of(uint32_t channel) const noexcept {
    return shard_of_[channel];
  }
  uint64_t memberships() const noexcept;

private:
  struct user_id {
    presence_shard_id home;
    user_handle handle;
  };

  void collect(uint32_t user);
  void send(uint16_t home);
  void send_all();
  void pass_time(shard_router& router);

  loaded_tables_config config_;
  population world_;
  std::vector<shard_router> routers_;
  std::vector<uint16_t> shard_of_;
  std::vector<user_id> users_;
  /// Deltas being collected, by presence shard and then by routing shard.
  std::vector<std::vector<presence_delta>> deltas_;
  std::vector<std::vector<uint64_t>> numbers_;
  std::vector<uint32_t> channels_;
  int64_t now_ns_ = 1;
  std::chrono::nanoseconds inside_{0};
};

/// Time this thread has spent on a core: on a machine with other work to do
/// it says more about a table than the clock on the wall.
std::chrono::nanoseconds thread_time();

/// Physical memory of this process in bytes; 0 where that cannot be read.
size_t resident_bytes();

} // namespace fantail::bench
