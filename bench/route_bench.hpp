// SPDX-License-Identifier: MIT
#pragma once

#include "bench/loaded_tables.hpp"

#include <cstdint>

/// How fast are chat events routed, from a channel's name to the list of
/// instances, in one thread?
///
/// Pulls are made beforehand and handed to the shards in turn, so that the
/// caches see the working set of a whole node.
namespace fantail::bench {

struct route_bench_config {
  loaded_tables_config tables;
  uint32_t events_per_pull = 500;
  /// Events routed in such pulls, and events routed and timed one by one.
  uint64_t events = 10'000'000;
  uint32_t events_timed = 1'000'000;
  uint16_t egress_groups = 2;
  /// Traffic by channel: 0 is uniform, the hardest case for caches.
  double zipf_exponent = 0;
  /// Share of events whose channel has no row, 0 to 1.
  double unknown_share = 0;
};

struct route_bench_result {
  uint64_t channels = 0;
  uint64_t memberships = 0;
  /// Events per second and core, and what they amount to.
  double lookups_per_second = 0;
  double deliveries_per_second = 0;
  /// Deliveries per event.
  double spread = 0;
  /// An event alone, name to list, the clock's own time included.
  double p50_ns = 0;
  double p99_ns = 0;
  double p999_ns = 0;
  /// Reading the clock twice.
  double clock_ns = 0;
  size_t resident_bytes = 0;
};

/// REQUIRES: events_per_pull > 0, egress_groups > 0.
route_bench_result run_route_bench(const route_bench_config& config,
                                   const progress_callback& progress = {});

} // namespace fantail::bench
