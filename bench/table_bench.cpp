// SPDX-License-Identifier: MIT
#include "bench/table_bench.hpp"

#include <algorithm>

namespace fantail::bench {

namespace {

double per_second(uint64_t count, std::chrono::nanoseconds time) {
  return static_cast<double>(count)
         / std::max(std::chrono::duration<double>(time).count(), 1e-9);
}

double ratio(size_t bytes, uint64_t count) {
  return static_cast<double>(bytes)
         / static_cast<double>(std::max<uint64_t>(count, 1));
}

void add_costs(table_bench_result& result, const shard_router& router) {
  auto x = router.statistics(0);
  result.channels += x.channels;
  result.memberships += x.memberships;
  result.users_online = std::max(result.users_online, x.users_online);
  result.dictionary_bytes += x.dictionary_bytes;
  result.row_bytes += x.row_bytes;
  result.user_bytes += x.user_bytes;
}

double mean_spread(const std::vector<shard_router>& routers) {
  uint64_t rows = 0, instances = 0;
  for (auto& router : routers) {
    auto& table = router.table();
    for (row_id row; row.value < table.channels().row_bound(); ++row.value)
      if (table.channels().in_use(row)) {
        ++rows;
        instances += table.rows().spread(row);
      }
  }
  return ratio(instances, rows);
}

} // namespace

table_bench_result run_table_bench(const table_bench_config& config,
                                   const progress_callback& progress) {
  table_bench_result result;
  loaded_tables tables{config.tables};
  auto resident_before = resident_bytes();
  tables.fill(progress);
  result.resident_bytes = resident_bytes();
  for (auto& router : tables.routers())
    add_costs(result, router);
  auto bytes = result.dictionary_bytes + result.row_bytes + result.user_bytes;
  auto gained = result.resident_bytes
                - std::min(resident_before, result.resident_bytes);
  result.spread = mean_spread(tables.routers());
  result.memberships_per_second
      = per_second(result.memberships, tables.time_inside());
  result.bytes_per_membership = ratio(bytes, result.memberships);
  result.resident_per_membership = ratio(gained, result.memberships);
  if (progress)
    progress("reconnect", 0);
  auto updates
      = tables.reconnect(config.reconnects, config.tables.population.seed);
  auto inside = tables.time_inside();
  result.row_updates_per_second = per_second(updates, inside);
  result.presence_changes_per_second
      = per_second(uint64_t{config.reconnects} * 2, inside);
  return result;
}

} // namespace fantail::bench
