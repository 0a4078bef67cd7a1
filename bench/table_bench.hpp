// SPDX-License-Identifier: MIT
#pragma once

#include "bench/loaded_tables.hpp"

#include <cstddef>
#include <cstdint>

/// How many bytes does a membership cost, and how fast is a table filled?
///
/// Fills the routing shards of one node, in one thread, and counts everything
/// they took from the heap; then lets users go offline and come back.
namespace fantail::bench {

struct table_bench_config {
  loaded_tables_config tables;
  /// Users who go offline and come back, one after the other.
  uint32_t reconnects = 2'000;
};

struct table_bench_result {
  uint64_t channels = 0;
  uint64_t users_online = 0;
  uint64_t memberships = 0;
  /// Distinct instances per channel, on average.
  double spread = 0;
  /// Memberships per second and core, name resolution included.
  double memberships_per_second = 0;
  /// Offline and online changes of whole users per second and core, and the
  /// rows they touched.
  double presence_changes_per_second = 0;
  double row_updates_per_second = 0;
  /// Heap bytes of the tables, slack included, by part and per membership.
  size_t dictionary_bytes = 0;
  size_t row_bytes = 0;
  size_t user_bytes = 0;
  double bytes_per_membership = 0;
  /// Physical memory the process gained while filling, per membership, and
  /// has now.
  double resident_per_membership = 0;
  size_t resident_bytes = 0;
};

table_bench_result run_table_bench(const table_bench_config& config,
                                   const progress_callback& progress = {});

} // namespace fantail::bench
