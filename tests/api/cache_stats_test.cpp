// SPDX-License-Identifier: MIT
#define CAF_SUITE api.cache_stats

#include "api/cache_stats.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

CAF_TEST(sums_go_over_all_presence_shards) {
  telemetry::node counts{2, 2, 1};
  for (auto& shard : counts.presence) {
    shard.cached_users.set(10);
    shard.cached_memberships.set(400);
    shard.cache_hits.set(7);
    shard.member_records.set(3);
  }
  counts.presence[1].cache_misses.set(2);
  counts.presence[0].member_dirty_bytes.set(99);
  for (auto& shard : counts.shard) {
    shard.table_memberships.set(1'000);
    shard.table_bytes.set(5'000);
  }
  auto x = cache_stats(counts);
  CAF_CHECK_EQUAL(x.int_or("Users", -1), 20);
  CAF_CHECK_EQUAL(x.int_or("Memberships", -1), 800);
  // Four of ten memberships.
  CAF_CHECK_EQUAL(x.int_or("Bytes", -1), 4'000);
  CAF_CHECK_EQUAL(x.int_or("Hits", -1), 14);
  CAF_CHECK_EQUAL(x.int_or("Misses", -1), 2);
  auto* store = x.find("Store");
  CAF_REQUIRE(store);
  CAF_CHECK_EQUAL(store->int_or("Records", -1), 6);
  CAF_CHECK_EQUAL(store->int_or("DirtyBytes", -1), 99);
}

CAF_TEST(an_empty_node_has_zeros_everywhere) {
  telemetry::node counts{1, 1, 1};
  auto x = cache_stats(counts);
  CAF_CHECK_EQUAL(x.int_or("Users", -1), 0);
  CAF_CHECK_EQUAL(x.int_or("Bytes", -1), 0);
}
