// SPDX-License-Identifier: MIT
#define CAF_SUITE chaos.fault_log

#include "chaos/checker/fault_log.hpp"
#include "tests/chaos/checker_fixture.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::chaos;
using namespace fantail::test;
using enum presence_call_kind;

CAF_TEST_FIXTURE_SCOPE(fault_log_tests, checker_fixture)

CAF_TEST(recovery_lasts_until_every_pair_of_shard_and_instance_flows) {
  change(1, online, 0, {7});
  change(2, online, 1, {7});
  fault(fault_phase::on);
  now += 1s;
  fault(fault_phase::off);
  auto event = publish(7);
  auto published = now - 1ms;
  receive(0, event);
  now += 40ms;
  receive(1, event);
  auto felt = now - published;
  receive(1, publish(7));
  auto found = finish();
  auto& recovery = found.recoveries.at("something");
  CAF_CHECK_EQUAL(recovery.faults, 1u);
  CAF_REQUIRE_EQUAL(recovery.recoveries.size(), 1u);
  CAF_CHECK(recovery.quantile(0.99) == felt);
}

CAF_TEST(recovery_includes_the_time_when_nobody_could_publish) {
  change(1, online, 0, {7});
  change(2, online, 1, {7});
  fault(fault_phase::on);
  fault(fault_phase::off);
  auto off = now;
  now += 5s;
  auto event = publish(7);
  receive(0, event);
  auto felt = now - off;
  receive(1, event);
  receive(1, publish(7));
  auto recoveries = finish().recoveries.at("something").recoveries;
  CAF_REQUIRE_EQUAL(recoveries.size(), 1u);
  CAF_CHECK(recoveries[0] == felt);
}

CAF_TEST(recoveries_of_actors_are_told_by_who_was_hit) {
  change(1, online, 0, {7});
  fault_number number = 0;
  for (auto target : {"routing/shard-3", "routing/shard-12", "edge/registrar"})
    for (auto phase : {fault_phase::on, fault_phase::off}) {
      number += phase == fault_phase::on;
      take(fault_marked{number, phase, "actor-exit", target, no_instance});
      receive(0, publish(7));
    }
  auto found = finish();
  CAF_CHECK_EQUAL(found.recoveries.at("actor-exit").faults, 3u);
  CAF_REQUIRE_EQUAL(found.actors.size(), 2u);
  auto& shards = found.actors.at("routing/shard-*, exit");
  CAF_CHECK_EQUAL(shards.faults, 2u);
  CAF_CHECK_EQUAL(shards.recoveries.size(), 2u);
  CAF_CHECK_EQUAL(found.actors.at("edge/registrar, exit").faults, 1u);
}

CAF_TEST(an_outage_goes_on_through_a_further_fault) {
  change(1, online, 0, {7});
  fault(fault_phase::on);
  fault(fault_phase::off);
  auto off = now;
  now += 5s;
  take(fault_marked{2, fault_phase::on, "other", "", no_instance});
  take(fault_marked{2, fault_phase::off, "other", "", no_instance});
  receive(0, publish(7));
  auto felt = now - off;
  auto found = finish();
  auto& first = found.recoveries.at("something").recoveries;
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  CAF_CHECK(first[0] == felt);
  CAF_CHECK_EQUAL(found.recoveries.at("other").faults, 1u);
  CAF_CHECK(found.recoveries.at("other").recoveries.empty());
}

CAF_TEST(what_meets_an_outage_is_under_way_until_something_flows_again) {
  change(1, online, 0, {7});
  change(2, online, 2, {7});
  auto stuck = publish(7);
  fault(fault_phase::on);
  fault(fault_phase::off);
  now += 6s;
  take(chaos::link_changed{2, false});
  receive(0, stuck);
  take(chaos::link_changed{2, true});
  auto found = finish();
  CAF_CHECK_EQUAL(found.count(violation::lost), 0u);
  CAF_CHECK_EQUAL(found.undecided, 1u);
}

CAF_TEST(what_a_node_takes_must_not_grow) {
  change(1, online, 0, {7});
  receive(0, publish(7));
  auto look = [&](uint64_t bytes, uint64_t files) {
    take(usage_seen{bytes, files});
  };
  for (int i = 0; i < 100; ++i)
    look(100 << 20, 40);
  for (int i = 0; i < 100; ++i)
    look(300 << 20, 90);
  look(150 << 20, 60);
  auto found = finish();
  CAF_CHECK_EQUAL(found.count(violation::growth), 0u);
  CAF_CHECK_EQUAL(found.resident_bytes.max, 300u << 20);
  CAF_CHECK_EQUAL(found.open_files.first, 40u);
  CAF_CHECK_EQUAL(found.open_files.last, 60u);
  look(200 << 20, 80);
  checked.finish();
  CAF_CHECK_EQUAL(count(violation::growth), 2u);
}

CAF_TEST(a_kind_of_fault_that_was_never_carried_out_proves_nothing) {
  change(1, online, 0, {7});
  receive(0, publish(7));
  fault(fault_phase::skipped);
  auto found = finish();
  CAF_CHECK(checked.judge() == verdict::invalid);
  CAF_CHECK_EQUAL(found.invalid_because(0.9),
                  "no something could be carried out");
  fault(fault_phase::on);
  CAF_CHECK(checked.judge() == verdict::passed);
}

CAF_TEST_FIXTURE_SCOPE_END()
