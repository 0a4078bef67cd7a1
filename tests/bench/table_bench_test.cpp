// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.table_bench

#include "bench/route_bench.hpp"
#include "bench/table_bench.hpp"

#include "caf/test/unit_test.hpp"

#include <cmath>

using namespace fantail;
using namespace fantail::bench;

namespace {

loaded_tables_config tiny(membership_shape shape) {
  loaded_tables_config result;
  result.population.users = 1'000;
  result.population.channels = 2'000;
  result.population.instances = 20;
  result.population.channels_per_user = 50;
  result.population.shape = shape;
  result.shards = 4;
  return result;
}

} // namespace

CAF_TEST(a tiny table is filled completely) {
  table_bench_config config;
  config.tables = tiny(membership_shape::uniform);
  config.reconnects = 20;
  int reports = 0;
  auto x = run_table_bench(config, [&](auto, double) { ++reports; });
  CAF_CHECK_EQUAL(x.memberships, 50'000u);
  CAF_CHECK_EQUAL(x.users_online, 1'000u);
  CAF_CHECK_EQUAL(x.channels, 2'000u);
  CAF_CHECK(x.spread > 10 && x.spread < 20);
  CAF_CHECK(x.memberships_per_second > 0 && x.row_updates_per_second > 0);
  CAF_CHECK(x.bytes_per_membership > 1 && x.bytes_per_membership < 30);
  CAF_CHECK(reports > 0);
}

CAF_TEST(reconnecting users leave the tables as they were) {
  loaded_tables tables{tiny(membership_shape::uniform)};
  tables.fill({});
  std::vector<uint64_t> before;
  for (auto& router : tables.routers())
    before.push_back(router.digest());
  CAF_CHECK_EQUAL(tables.reconnect(30, 5), 30u * 50 * 2);
  for (size_t i = 0; i < before.size(); ++i) {
    CAF_CHECK_EQUAL(tables.routers()[i].digest(), before[i]);
    CAF_CHECK(tables.routers()[i].check_invariants());
  }
}

CAF_TEST(a tiny route benchmark delivers with the spread it was given) {
  route_bench_config config;
  config.tables = tiny(membership_shape::spread);
  config.tables.population.spread = 4;
  config.events = 20'000;
  config.events_timed = 1'000;
  auto x = run_route_bench(config);
  CAF_CHECK_EQUAL(x.channels, 2'000u);
  CAF_CHECK(std::abs(x.spread - 4) < 1e-9);
  CAF_CHECK(x.lookups_per_second > 0);
  CAF_CHECK(x.p50_ns <= x.p99_ns && x.p99_ns <= x.p999_ns);
  config.unknown_share = 1;
  CAF_CHECK_EQUAL(run_route_bench(config).spread, 0.0);
}
