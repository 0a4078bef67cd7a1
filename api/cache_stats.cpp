// SPDX-License-Identifier: MIT
#include "api/cache_stats.hpp"

namespace fantail {

namespace {

using telemetry::presence;

uint64_t sum(const telemetry::node& counts,
             telemetry::counter presence::*member) {
  uint64_t result = 0;
  for (auto& shard : counts.presence)
    result += (shard.*member).get();
  return result;
}

/// Rows of offline users are not kept apart from the others, so their bytes
/// are their share of the tables.
uint64_t bytes_of(const telemetry::node& counts, uint64_t memberships) {
  uint64_t all = 0, bytes = 0;
  for (auto& shard : counts.shard) {
    all += shard.table_memberships.get();
    bytes += shard.table_bytes.get();
  }
  return all == 0 ? 0
                  : static_cast<uint64_t>(static_cast<double>(bytes)
                                          * static_cast<double>(memberships)
                                          / static_cast<double>(all));
}

} // namespace

json::value cache_stats(const telemetry::node& counts) {
  auto total = [&](telemetry::counter presence::*member) {
    return sum(counts, member);
  };
  auto memberships = total(&presence::cached_memberships);
  json::object store{
      {"Records", total(&presence::member_records)},
      {"LiveBytes", total(&presence::member_live_bytes)},
      {"StreamBytes", total(&presence::member_stream_bytes)},
      {"DirtyUsers", total(&presence::member_dirty_users)},
      {"DirtyBytes", total(&presence::member_dirty_bytes)},
      {"OversizedUsers", total(&presence::member_oversized_users)},
      {"Written", total(&presence::member_appends)},
      {"Moved", total(&presence::member_moves)},
      {"Lost", total(&presence::member_lists_lost)}};
  return json::object{
      {"Users", total(&presence::cached_users)},
      {"Memberships", memberships},
      {"Bytes", bytes_of(counts, memberships)},
      {"MembershipsMax", total(&presence::cache_memberships_max)},
      {"Hits", total(&presence::cache_hits)},
      {"Misses", total(&presence::cache_misses)},
      {"Evictions", total(&presence::cache_evictions)},
      {"Store", std::move(store)}};
}

} // namespace fantail
