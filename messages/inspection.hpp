// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/presence/presence_ledger.hpp"
#include "core/routing/shard_router.hpp"
#include "core/routing/table_statistics.hpp"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fantail {

/// A snapshot of a node in the making: every actor that is asked adds its
/// part, and the asker waits for all of them. Thread safe.
class inspection {
public:
  struct shard_view {
    shard_id shard;
    fantail::epoch epoch;
    position routed_to;
    position settled_to;
    uint64_t digest = 0;
    uint64_t departures = 0;
    table_statistics table;
  };

  struct presence_view {
    presence_shard_id shard;
    log_position applied;
    size_t unapplied_deltas = 0;
    presence_ledger::statistics ledger;
  };

  struct instance_view {
    std::string name;
    delivery_format format = delivery_format::single;
    std::string incarnation;
    bool is_lagging = false;
    uint64_t pending_events = 0;
    uint64_t pending_bytes = 0;
    uint64_t unacknowledged_bytes = 0;
    instance_index index = {};
    /// Nobody listens to it.
    bool is_absent = false;
    /// Pending, and dropped since the start: critical, important, best effort.
    std::array<uint32_t, 3> pending_by_class{};
    std::array<uint64_t, 3> overflow_by_class{};
    uint64_t unheard = 0;
    /// By shard: the end of the last section sent, and what was acknowledged.
    std::vector<std::pair<position, position>> positions = {};
  };

  /// `parts` actors will contribute; tables name their `top` channels.
  inspection(size_t parts, size_t top) : top_(top), missing_(parts) {}

  size_t top() const noexcept { return top_; }

  void add(shard_view x) {
    std::lock_guard guard{mutex_};
    shards_.push_back(std::move(x));
    part_done();
  }
  void add(presence_view x) {
    std::lock_guard guard{mutex_};
    presence_.push_back(std::move(x));
    part_done();
  }
  void add(std::vector<instance_view> xs) {
    std::lock_guard guard{mutex_};
    for (auto& x : xs)
      instances_.push_back(std::move(x));
    part_done();
  }

  /// The contribution of the registrar: `frame` instances that are silent.
  void add_silent(std::vector<instance_index> xs) {
    std::lock_guard guard{mutex_};
    silent_ = std::move(xs);
    part_done();
  }

  /// False if parts are missing after `timeout`: an actor hangs.
  bool wait(std::chrono::milliseconds timeout) {
    std::unique_lock guard{mutex_};
    return done_.wait_for(guard, timeout, [this] { return missing_ == 0; });
  }

  // Read after `wait` returned true.
  const std::vector<shard_view>& shards() const noexcept { return shards_; }
  const std::vector<presence_view>& presence() const noexcept {
    return presence_;
  }
  const std::vector<instance_view>& instances() const noexcept {
    return instances_;
  }
  const std::vector<instance_index>& silent() const noexcept { return silent_; }

private:
  void part_done() {
    if (missing_ > 0)
      --missing_;
    if (missing_ == 0)
      done_.notify_all();
  }

  size_t top_;
  std::mutex mutex_;
  std::condition_variable done_;
  size_t missing_;
  std::vector<shard_view> shards_;
  std::vector<presence_view> presence_;
  std::vector<instance_view> instances_;
  std::vector<instance_index> silent_;
};

/// Where events of some channels would go: every routing shard adds what it
/// knows of them. Thread safe.
class route_inspection {
public:
  route_inspection(std::vector<std::string> channels, size_t shards)
      : channels_(std::move(channels)), missing_(shards) {}

  const std::vector<std::string>& channels() const noexcept {
    return channels_;
  }

  /// The contribution of one shard: its routes of channels it knows.
  void add(std::map<std::string, channel_route> routes) {
    std::lock_guard guard{mutex_};
    routes_.merge(routes);
    if (missing_ > 0 && --missing_ == 0)
      done_.notify_all();
  }

  /// False if shards are missing after `timeout`.
  bool wait(std::chrono::milliseconds timeout) {
    std::unique_lock guard{mutex_};
    return done_.wait_for(guard, timeout, [this] { return missing_ == 0; });
  }

  /// By channel; read after `wait` returned true.
  const std::map<std::string, channel_route>& routes() const noexcept {
    return routes_;
  }

private:
  std::vector<std::string> channels_;
  std::mutex mutex_;
  std::condition_variable done_;
  size_t missing_;
  std::map<std::string, channel_route> routes_;
};

} // namespace fantail
