// SPDX-License-Identifier: MIT
#define CAF_SUITE api.health

#include "api/health.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

using condition = component_health::condition;

namespace {

/// 2026-08-24 12:34:56 UTC.
constexpr std::chrono::system_clock::time_point noon{
    std::chrono::seconds{1'787'574'896}};

std::vector<component_health> components(condition nats, condition presence) {
  return {{"nats-ingest", nats, "", noon},
          {"presence", presence, "shard 3 of 8", noon}};
}

} // namespace

CAF_TEST(every_component_is_told_by_itself) {
  CAF_CHECK_EQUAL(json::serialize(health_report(
                      components(condition::ok, condition::starting))),
                  R"({"components":[{"detail":"","name":"nats-ingest",)"
                  R"("since":"2026-08-24T12:34:56Z","status":"ok"},)"
                  R"({"detail":"shard 3 of 8","name":"presence",)"
                  R"("since":"2026-08-24T12:34:56Z","status":"starting"}],)"
                  R"("status":"starting"})");
}

CAF_TEST(a_node_that_starts_is_healthy_but_not_ready) {
  auto ok = components(condition::ok, condition::ok);
  CAF_CHECK(is_healthy(ok) && is_ready(ok));
  CAF_CHECK_EQUAL(health_report(ok).string_or("status", ""), "ok");
  auto starting = components(condition::ok, condition::starting);
  CAF_CHECK(is_healthy(starting) && !is_ready(starting));
  auto failing = components(condition::failing, condition::starting);
  CAF_CHECK(!is_healthy(failing) && !is_ready(failing));
  CAF_CHECK_EQUAL(health_report(failing).string_or("status", ""), "failing");
}

CAF_TEST(a_node_without_components_is_not_ready) {
  CAF_CHECK(is_healthy({}));
  CAF_CHECK(!is_ready({}));
  CAF_CHECK_EQUAL(health_report({}).string_or("status", ""), "starting");
}

CAF_TEST(what_readiness_waits_for_is_named) {
  CAF_CHECK_EQUAL(json::serialize(ready_report(
                      components(condition::failing, condition::ok))),
                  R"({"ready":false,"waiting_for":["nats-ingest"]})");
  CAF_CHECK_EQUAL(
      json::serialize(ready_report(components(condition::ok, condition::ok))),
      R"({"ready":true,"waiting_for":[]})");
}
