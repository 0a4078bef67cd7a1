// SPDX-License-Identifier: MIT
#define CAF_SUITE api.latency_report

#include "api/latency_report.hpp"

#include "caf/test/unit_test.hpp"

#include <thread>

using namespace fantail;

CAF_TEST(every_latency_is_merged_over_its_actors) {
  telemetry::node counts{2, 2, 2};
  for (int i = 0; i < 2; ++i) {
    auto n = static_cast<size_t>(i);
    counts.egress[n].total.record(10 + i, 1);
    counts.egress[n].publish.record(20 + i, 2);
    counts.shard[n].lookup.record(30 + i, 3);
    counts.shard[n].batch.record(40 + i, 4);
    counts.presence[n].update.record(50 + i, 5);
  }
  CAF_CHECK_EQUAL(
      json::serialize(latency_report(collect_latencies(counts))),
      R"({"batch":{"count":8,"max_ns":41,"mean_ns":40,"p50_ns":40,)"
      R"("p90_ns":41,"p999_ns":41,"p99_ns":41},)"
      R"("lookup":{"count":6,"max_ns":31,"mean_ns":30,"p50_ns":30,)"
      R"("p90_ns":31,"p999_ns":31,"p99_ns":31},)"
      R"("presence_update":{"count":10,"max_ns":51,"mean_ns":50,)"
      R"("p50_ns":50,"p90_ns":51,"p999_ns":51,"p99_ns":51},)"
      R"("publish":{"count":4,"max_ns":21,"mean_ns":20,"p50_ns":20,)"
      R"("p90_ns":21,"p999_ns":21,"p99_ns":21},)"
      R"("total":{"count":2,"max_ns":11,"mean_ns":10,"p50_ns":10,)"
      R"("p90_ns":11,"p999_ns":11,"p99_ns":11}})");
}

CAF_TEST(a_window_forgets_what_was_before_it) {
  telemetry::node counts{1, 1, 1};
  latency_window window{counts};
  auto& total = counts.egress[0].total;
  total.record(1'000'000);
  CAF_CHECK_EQUAL(window.current().total.count(), 1u);
  auto ended = window.restart();
  CAF_CHECK_EQUAL(ended.total.count(), 1u);
  CAF_CHECK_EQUAL(window.current().total.count(), 0u);
  CAF_CHECK_EQUAL(window.current().total.quantile(0.99), 0u);
  total.record(50);
  total.record(60);
  CAF_CHECK_EQUAL(window.current().total.count(), 2u);
  CAF_CHECK_EQUAL(window.current().total.max(), 60u);
  // Looking does not begin a window, and the telemetry keeps everything.
  CAF_CHECK_EQUAL(window.restart().total.count(), 2u);
  CAF_CHECK_EQUAL(collect_latencies(counts).total.count(), 3u);
}

CAF_TEST(successive_windows_lose_nothing_while_it_is_recorded) {
  telemetry::node counts{1, 1, 1};
  latency_window window{counts};
  constexpr uint64_t events = 100'000;
  std::thread writer{[&] {
    for (uint64_t i = 0; i < events; ++i)
      counts.egress[0].total.record(static_cast<int64_t>(i));
  }};
  uint64_t seen = 0;
  for (int i = 0; i < 20; ++i)
    seen += window.restart().total.count();
  writer.join();
  seen += window.restart().total.count();
  CAF_CHECK_EQUAL(seen, events);
}
