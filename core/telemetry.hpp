// SPDX-License-Identifier: MIT
#pragma once

#include "core/histogram.hpp"
#include "core/inspection/letter_box.hpp"
#include "core/inspection/trace_log.hpp"
#include "core/limits.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

/// What a node counts. One thread writes each counter, with plain stores; the
/// metrics exporter and the API read them at any time. Nothing is locked or
/// shared on the hot path.
namespace fantail::telemetry {

/// A number with one writer.
class counter {
public:
  void add(uint64_t x = 1) noexcept { set(get() + x); }
  void set(uint64_t x) noexcept { value_.store(x, std::memory_order_relaxed); }
  uint64_t get() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<uint64_t> value_ = 0;
};

/// Counts of small numbers in the buckets of the metrics contract.
template <size_t N>
class size_histogram {
public:
  constexpr explicit size_histogram(std::array<uint32_t, N> borders)
      : borders_(borders) {}

  void record(uint64_t x, uint64_t times = 1) noexcept {
    size_t i = 0;
    while (i < N && x > borders_[i])
      ++i;
    counts_[i].add(times);
    sum_.add(x * times);
  }

  const std::array<uint32_t, N>& borders() const noexcept { return borders_; }
  /// How many were <= borders()[i]; for i == N: all.
  uint64_t up_to(size_t i) const noexcept {
    uint64_t result = 0;
    for (size_t k = 0; k <= i; ++k)
      result += counts_[k].get();
    return result;
  }
  uint64_t sum() const noexcept { return sum_.get(); }

private:
  std::array<uint32_t, N> borders_;
  std::array<counter, N + 1> counts_;
  counter sum_;
};

/// Of one routing shard; written by its actor.
struct alignas(64) shard {
  counter events;
  counter unroutable;
  counter rejected;
  counter deliveries;
  counter lost_positions;
  counter routed_to;
  counter settled_to;
  /// Events in the stream that are not settled.
  counter lag;
  counter table_channels;
  counter table_users;
  counter table_memberships;
  counter table_bytes;
  size_histogram<6> batch_size{{1, 10, 50, 100, 200, 500}};
  size_histogram<7> publishes_per_message{{1, 2, 5, 10, 20, 50, 100}};
  /// Time to look up and fan out a pull, divided by its events.
  atomic_histogram lookup;
  atomic_histogram batch;
};

/// Of one presence shard; written by its actor.
struct alignas(64) presence {
  counter updates;
  counter rejected;
  counter expired;
  /// Sessions refused at the memory limit.
  counter refused_for_memory;
  counter users_online;
  counter sessions;
  counter zombies;
  counter bytes;
  counter log_position;
  /// Users who are offline and whose rows the tables keep, and where they are
  /// kept for good (core/membership/membership.hpp).
  counter cached_users;
  counter cached_memberships;
  counter cache_memberships_max;
  counter cache_hits;
  counter cache_misses;
  counter cache_evictions;
  counter member_records;
  counter member_live_bytes;
  counter member_stream_bytes;
  counter member_dirty_users;
  counter member_dirty_bytes;
  counter member_oversized_users;
  counter member_appends;
  counter member_moves;
  counter member_lists_lost;
  /// From the read of a change to its being applied everywhere.
  atomic_histogram update;
};

/// Of one egress connection; written by its actor.
struct alignas(64) egress {
  counter messages;
  counter bytes;
  counter deliveries;
  counter dropped_best_effort;
  counter dropped_important;
  counter lagging;
  /// Deliveries dropped because nobody listened, and instances it concerns
  /// now.
  counter unheard;
  counter absent;
  counter rewinds;
  counter unconfirmed_bytes;
  /// From the read of an event to the return of the socket write.
  atomic_histogram total;
  /// The time a flush takes.
  atomic_histogram publish;
  /// Events routed to each instance, by instance_index.
  std::array<counter, limits::instances_max> routed{};
};

/// Of the snapshots; written by their keeper.
struct alignas(64) snapshots {
  counter written;
  counter failed;
  counter bytes;
  /// Records of the presence logs behind the newest snapshot of their shard,
  /// summed up: what a start would have to replay.
  counter records_behind;
};

/// Counters by name that are bumped rarely, by any thread: rejected input by
/// source and reason, connection losses.
class named_counters {
public:
  void add(const std::string& name, uint64_t x = 1) {
    std::lock_guard guard{mutex_};
    counts_[name] += x;
  }
  std::map<std::string, uint64_t> snapshot() const {
    std::lock_guard guard{mutex_};
    return counts_;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t> counts_;
};

/// How long a message waits in the mailboxes of one kind of actor, sampled by
/// the ticks. Written by several actors, so recording takes a lock; a tick is
/// rare.
class mailbox_waits {
public:
  void record(std::string_view actor, int64_t ns) {
    std::lock_guard guard{mutex_};
    waits_[std::string{actor}].record(ns);
  }
  std::map<std::string, histogram> snapshot() const {
    std::lock_guard guard{mutex_};
    return waits_;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, histogram> waits_;
};

/// Everything a node counts. Created before the actors, outlives them.
struct node {
  node(uint16_t shards, uint16_t presence_shards, uint16_t egresses)
      : shard(shards), presence(presence_shards), egress(egresses) {}

  telemetry::snapshots snapshots;
  /// Actors that are stuck now, and how often one was; written by whoever
  /// watches them.
  counter actors_stuck;
  counter stuck_total;
  /// `frame` instances that are silent; written by the registrar.
  counter instances_dead;
  /// 1 while new presence is refused for want of memory.
  counter memory_short;
  /// Who follows which events.
  trace_log traces;
  std::deque<telemetry::shard> shard;
  std::deque<telemetry::presence> presence;
  std::deque<telemetry::egress> egress;
  /// `source/reason`.
  named_counters rejected;
  named_counters events;
  mailbox_waits waits;
  /// What nobody could take.
  letter_box letters;
};

} // namespace fantail::telemetry
