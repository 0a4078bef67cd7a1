// SPDX-License-Identifier: MIT
#define CAF_SUITE core.inspection.event_log

#include "core/inspection/event_log.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using severity = report_port::severity;

namespace {

node_event only(const event_log& log) {
  auto all = log.since(0, 10);
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  return all.front();
}

} // namespace

CAF_TEST(a report becomes an event) {
  event_log log;
  log.add(severity::warning, "supervisor", "child-failed",
          {{"supervisor", "routing"}, {"child", "shard-3"}, {"cause", "x"}},
          77);
  auto x = only(log);
  CAF_CHECK_EQUAL(x.id, 1u);
  CAF_CHECK_EQUAL(x.at_unix_ns, 77);
  CAF_CHECK_EQUAL(x.kind, "child-failed");
  CAF_CHECK(x.severity == severity::warning);
  CAF_CHECK_EQUAL(x.actor, "routing/shard-3");
  CAF_CHECK_EQUAL(x.detail,
                  "supervisor child-failed supervisor=routing child=shard-3 "
                  "cause=x");
}

CAF_TEST(a child of the root has a short path) {
  event_log log;
  log.add(severity::info, "supervisor", "child-restarted",
          {{"supervisor", "node"}, {"child", "routing"}}, 1);
  CAF_CHECK_EQUAL(only(log).actor, "routing");
}

CAF_TEST(links have kinds of their own and the rest is a report) {
  event_log log;
  log.add(severity::warning, "control", "nats-disconnected", {}, 1);
  log.add(severity::info, "egress", "link-open", {}, 2);
  log.add(severity::info, "registrar", "instance-dead", {}, 3);
  auto all = log.since(0, 10);
  CAF_REQUIRE_EQUAL(all.size(), 3u);
  CAF_CHECK_EQUAL(all[0].kind, "link-down");
  CAF_CHECK_EQUAL(all[1].kind, "link-up");
  CAF_CHECK_EQUAL(all[2].kind, "report");
  CAF_CHECK(all[2].actor.empty());
  for (auto& x : all)
    CAF_CHECK(is_event_kind(x.kind));
  CAF_CHECK(!is_event_kind("nonsense"));
}

CAF_TEST(what is for developers is left out) {
  event_log log;
  log.add(severity::debug, "snapshot_keeper", "snapshot-written", {}, 1);
  CAF_CHECK_EQUAL(log.newest(), 0u);
}

CAF_TEST(a viewer goes on behind what it has) {
  event_log log;
  for (int i = 1; i <= 5; ++i)
    log.add(severity::info, "x", "y", {}, i);
  CAF_CHECK_EQUAL(log.newest(), 5u);
  auto two = log.since(2, 2);
  CAF_REQUIRE_EQUAL(two.size(), 2u);
  CAF_CHECK_EQUAL(two[0].id, 3u);
  CAF_CHECK_EQUAL(two[1].id, 4u);
  CAF_CHECK(log.since(5, 10).empty());
  CAF_CHECK(log.since(99, 10).empty());
}

CAF_TEST(what is forgotten leaves a gap in the ids) {
  event_log log;
  auto count = event_log::events_max + 10;
  for (size_t i = 0; i < count; ++i)
    log.add(severity::info, "x", "y", {}, 0);
  auto all = log.since(3, 10'000);
  CAF_REQUIRE_EQUAL(all.size(), event_log::events_max);
  CAF_CHECK_EQUAL(all.front().id, 11u);
  CAF_CHECK_EQUAL(all.back().id, count);
}
