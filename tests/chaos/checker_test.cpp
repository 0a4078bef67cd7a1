// SPDX-License-Identifier: MIT
#define CAF_SUITE chaos.checker

#include "chaos/checker/checker.hpp"
#include "tests/chaos/checker_fixture.hpp"
#include "tests/chaos/perfect_world.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::chaos;
using namespace fantail::test;
using namespace std::chrono_literals;
using enum presence_call_kind;

namespace {

checker judged(const std::vector<timed_record>& history) {
  checker result{{perfect_world::head().formats}};
  for (auto& x : history)
    result.take(x);
  result.finish();
  return result;
}

/// The planted fault is found as `what`, and as nothing else.
void check_found(planted fault, violation what, int steps) {
  perfect_world world{test_seed(), fault};
  auto history = world.play(steps);
  CAF_REQUIRE(world.struck() > 0);
  auto checked = judged(history);
  CAF_CHECK(checked.judge() == verdict::failed);
  auto found = checked.result();
  CAF_CHECK(found.count(what) > 0);
  for (size_t i = 0; i < violation_kinds; ++i)
    if (i != static_cast<size_t>(what))
      CAF_CHECK_EQUAL(found.violations[i], 0u);
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(checker_tests, checker_fixture)

// -- who must receive
// ------------------------------------------------------------

CAF_TEST(an_event_that_comes_everywhere_is_fine) {
  change(1, online, 0, {7});
  change(2, online, 2, {7});
  auto event = publish(7);
  receive(0, event);
  receive(2, event);
  auto found = finish();
  CAF_CHECK(checked.judge() == verdict::passed);
  CAF_CHECK_EQUAL(found.decided, 2u);
  CAF_CHECK_EQUAL(found.deliveries, 2u);
}

CAF_TEST(an_event_that_does_not_come_is_lost) {
  change(1, online, 0, {7});
  publish(7);
  receive(0, publish(7));
  auto found = finish();
  CAF_CHECK(checked.judge() == verdict::failed);
  CAF_CHECK_EQUAL(found.count(violation::lost), 1u);
  CAF_CHECK_EQUAL(found.lost_in_the_middle, 1u);
  CAF_REQUIRE_EQUAL(found.examples.size(), 1u);
  CAF_CHECK_EQUAL(found.examples[0].text,
                  "event 0 of channel 7 at instance 0, position 1");
}

CAF_TEST(what_comes_later_than_the_patience_is_lost) {
  change(1, online, 0, {7});
  auto event = publish(7);
  now += 121s;
  change(2, online, 1, {8});
  CAF_CHECK_EQUAL(count(violation::lost), 1u);
  receive(0, event);
  CAF_CHECK_EQUAL(count(violation::lost), 1u);
}

CAF_TEST(before_the_answer_and_after_the_call_to_leave_both_is_right) {
  auto joining = call(1, online, 0, {7});
  auto early = publish(7);
  take(presence_answered{joining});
  auto leaving = call(1, leave, 0, {7});
  publish(7);
  take(presence_answered{leaving});
  receive(0, early);
  auto found = finish();
  CAF_CHECK_EQUAL(found.undecided, 2u);
  CAF_CHECK_EQUAL(found.decided, 0u);
  CAF_CHECK(checked.judge() == verdict::invalid);
}

CAF_TEST(an_event_that_is_stored_after_the_call_to_leave_may_be_missing) {
  change(1, online, 0, {7});
  take(publish_called{events, 7});
  change(1, leave, 0, {7});
  take(publish_stored{events++, position{1}});
  CAF_CHECK_EQUAL(finish().count(violation::lost), 0u);
}

CAF_TEST(a_second_user_on_the_instance_keeps_it_in_the_channel) {
  change(1, online, 0, {7});
  change(2, online, 0, {7});
  change(1, leave, 0, {7});
  publish(7);
  CAF_CHECK_EQUAL(finish().count(violation::lost), 1u);
}

CAF_TEST(a_call_without_an_answer_is_settled_by_the_answer_to_a_later_one) {
  change(1, online, 0, {7});
  auto leaving = call(1, leave, 0, {7});
  take(presence_answered{leaving, chaos::presence_outcome::unknown});
  publish(7);
  change(1, join, 0, {8});
  receive(0, publish(8));
  now += 1s;
  receive(0, publish(7));
  auto found = finish();
  CAF_CHECK_EQUAL(found.count(violation::lost), 0u);
  CAF_CHECK_EQUAL(found.count(violation::excess), 1u);
}

CAF_TEST(a_rejected_call_changes_nothing) {
  change(1, online, 0, {7});
  auto leaving = call(1, leave, 0, {7});
  auto joining = call(1, join, 0, {8});
  take(presence_answered{leaving, chaos::presence_outcome::rejected});
  take(presence_answered{joining});
  receive(0, publish(7));
  receive(0, publish(8));
  CAF_CHECK_EQUAL(finish().decided, 2u);
  CAF_CHECK(checked.judge() == verdict::passed);
}

CAF_TEST(a_session_that_moves_takes_the_channels_along) {
  change(1, online, 0, {7});
  change(1, online, 1, {});
  auto event = publish(7);
  receive(1, event);
  now += 1s;
  auto later = publish(7);
  receive(1, later);
  receive(0, later);
  auto found = finish();
  CAF_CHECK_EQUAL(found.count(violation::excess), 1u);
  CAF_CHECK_EQUAL(found.count(violation::lost), 0u);
}

// -- who must not
// ----------------------------------------------------------------

CAF_TEST(excess_begins_with_the_grace_behind_the_answer_to_leave) {
  change(1, online, 0, {7});
  change(1, leave, 0, {7});
  now += 150ms;
  receive(0, publish(7));
  CAF_CHECK_EQUAL(count(violation::excess), 0u);
  now += 100ms;
  receive(0, publish(7));
  CAF_CHECK_EQUAL(count(violation::excess), 1u);
}

CAF_TEST(what_was_stored_before_a_join_is_early_and_not_excess) {
  auto event = publish(7);
  change(1, online, 0, {7});
  receive(0, event);
  auto found = finish();
  CAF_CHECK_EQUAL(found.early, 1u);
  CAF_CHECK_EQUAL(found.count(violation::excess), 0u);
}

CAF_TEST(garbage_is_what_nobody_published_or_was_refused) {
  change(1, online, 0, {7});
  receive(0, 5);
  take(garbage_received{0, "no event"});
  take(publish_called{events, 7});
  take(publish_refused{events});
  receive(0, events);
  receive(9, events);
  CAF_CHECK_EQUAL(count(violation::garbage), 4u);
  CAF_CHECK_EQUAL(finish().count(violation::lost), 0u);
}

// -- order, repeats, epochs
// ------------------------------------------------------

CAF_TEST(positions_of_a_channel_rise_at_each_instance) {
  change(1, online, 0, {7});
  auto first = publish(7);
  auto second = publish(7);
  receive(0, second);
  receive(0, first);
  CAF_CHECK_EQUAL(count(violation::out_of_order), 1u);
}

CAF_TEST(order_is_judged_when_the_positions_are_known) {
  change(1, online, 0, {7});
  take(publish_called{0, 7});
  take(publish_called{1, 7});
  receive(0, 1);
  receive(0, 0);
  take(publish_stored{0, position{2}});
  CAF_CHECK_EQUAL(count(violation::out_of_order), 0u);
  take(publish_stored{1, position{1}});
  CAF_CHECK_EQUAL(finish().count(violation::out_of_order), 0u);
  CAF_CHECK(checked.judge() == verdict::passed);
}

CAF_TEST(a_frame_instance_gets_nothing_twice) {
  change(1, online, 0, {7});
  auto event = publish(7);
  receive(0, event);
  fault(fault_phase::on);
  fault(fault_phase::off);
  receive(0, event);
  CAF_CHECK_EQUAL(count(violation::repeated), 1u);
  now += 20s;
  receive(0, publish(7));
  receive(0, event);
  CAF_CHECK_EQUAL(count(violation::repeated), 2u);
}

CAF_TEST(an_event_that_was_under_way_for_long_is_no_repeat) {
  change(1, online, 0, {7});
  call(2, online, 1, {7});
  take(publish_called{0, 7});
  now += 15s;
  take(publish_stored{0, position{1}});
  receive(0, 0);
  receive(1, 0);
  CAF_CHECK_EQUAL(count(violation::repeated), 0u);
  receive(1, 0);
  CAF_CHECK_EQUAL(finish().count(violation::repeated), 1u);
}

CAF_TEST(a_single_instance_gets_twice_only_what_a_fault_explains) {
  change(1, online, 2, {7});
  auto old = publish(7);
  receive(2, old);
  now += 3s;
  auto event = publish(7);
  receive(2, event);
  receive(2, event);
  CAF_CHECK_EQUAL(count(violation::repeated), 1u);
  fault(fault_phase::on);
  fault(fault_phase::off);
  receive(2, event);
  CAF_CHECK_EQUAL(count(violation::repeated), 1u);
  receive(2, old);
  CAF_CHECK_EQUAL(finish().count(violation::repeated), 2u);
  CAF_CHECK_EQUAL(checked.result().repeats_permitted, 1u);
}

CAF_TEST(a_fault_of_one_instance_explains_nothing_at_another) {
  change(1, online, 2, {7});
  auto event = publish(7);
  receive(2, event);
  fault(fault_phase::on, 1);
  fault(fault_phase::off, 1);
  receive(2, event);
  CAF_CHECK_EQUAL(finish().count(violation::repeated), 1u);
}

CAF_TEST(an_epoch_that_is_over_delivers_nothing) {
  change(1, online, 0, {7});
  receive(0, publish(7), 1);
  receive(0, publish(7), 2);
  CAF_CHECK_EQUAL(count(violation::stale_epoch), 0u);
  receive(0, publish(7), 1);
  CAF_CHECK_EQUAL(count(violation::stale_epoch), 1u);
}

// -- the world
// -------------------------------------------------------------------

CAF_TEST(nothing_is_kept_for_a_single_instance_that_is_down) {
  change(1, online, 0, {7});
  change(2, online, 2, {7});
  auto on_its_way = publish(7);
  take(chaos::link_changed{2, false});
  take(chaos::link_changed{0, false});
  auto missed = publish(7);
  take(chaos::link_changed{2, true});
  take(chaos::link_changed{0, true});
  now += 300ms;
  auto event = publish(7);
  for (auto x : {on_its_way, missed, event})
    receive(0, x);
  auto found = finish();
  CAF_CHECK_EQUAL(found.undecided, 2u);
  CAF_CHECK_EQUAL(found.count(violation::lost), 1u);
}

CAF_TEST(what_should_have_come_long_ago_is_lost_whatever_breaks_later) {
  change(1, online, 0, {7});
  change(2, online, 2, {7});
  publish(7);
  now += 5s;
  fault(fault_phase::on);
  take(chaos::link_changed{2, false});
  change(1, leave, 0, {7});
  take(node_changed{false});
  CAF_CHECK_EQUAL(finish().count(violation::lost), 2u);
}

CAF_TEST(a_fault_that_met_an_event_keeps_it_under_way) {
  change(2, online, 2, {7});
  publish(7);
  fault(fault_phase::on);
  now += 5s;
  fault(fault_phase::off);
  now += 1s;
  take(chaos::link_changed{2, false});
  CAF_CHECK_EQUAL(finish().count(violation::lost), 0u);
}

CAF_TEST(departures_are_forgotten_with_a_node) {
  change(1, online, 0, {7});
  change(2, online, 1, {7});
  publish(7);
  change(1, leave, 0, {7});
  take(node_changed{false});
  change(2, leave, 1, {7});
  take(node_changed{true});
  auto found = finish();
  CAF_CHECK_EQUAL(found.count(violation::lost), 0u);
  CAF_CHECK_EQUAL(found.undecided, 2u);
}

CAF_TEST(what_is_stored_without_a_node_waits_until_one_is_ready) {
  change(1, online, 0, {7});
  take(node_changed{false});
  publish(7);
  call(1, leave, 0, {7});
  now += 5s;
  take(node_changed{true});
  change(2, online, 0, {7});
  publish(7);
  change(2, leave, 0, {7});
  now += 5s;
  take(node_changed{false});
  CAF_CHECK_EQUAL(finish().count(violation::lost), 1u);
}

CAF_TEST(losses_lapses_and_escalations_are_violations) {
  take(loss_reported{0, shard_id{1}, position{1}, position{2}});
  take(sessions_lapsed{0});
  take(escalation_seen{"expected", true});
  take(escalation_seen{"the node ended with 1", false});
  auto found = finish();
  CAF_CHECK_EQUAL(found.count(violation::loss_reported), 1u);
  CAF_CHECK_EQUAL(found.count(violation::presence_wrong), 1u);
  CAF_CHECK_EQUAL(found.count(violation::unexpected_escalation), 1u);
}

CAF_TEST(a_user_may_be_seen_wherever_it_was_since_it_was_asked_for) {
  change(1, online, 0, {7});
  auto asked = now;
  change(1, online, 1, {});
  take(user_seen{1, asked, {{0, 0}}});
  take(user_seen{1, asked, {{0, 1}}});
  take(user_seen{2, asked, {}});
  CAF_CHECK_EQUAL(count(violation::presence_wrong), 0u);
  take(user_seen{1, now, {{0, 0}}});
  take(user_seen{1, asked, {}});
  take(user_seen{2, asked, {{0, 0}}});
  CAF_CHECK_EQUAL(count(violation::presence_wrong), 3u);
}

CAF_TEST(exact_counters_have_to_agree) {
  change(1, online, 0, {7});
  receive(0, publish(7));
  call(2, online, 0, {7});
  auto count_of = [&](counter_read::kind what, uint64_t value) {
    take(counter_read{what, value, true});
  };
  count_of(counter_read::kind::events, 1);
  count_of(counter_read::kind::users, 1);
  count_of(counter_read::kind::sessions, 2);
  take(counter_read{counter_read::kind::events, 99, false});
  CAF_CHECK_EQUAL(finish().counters_compared, 3u);
  CAF_CHECK(checked.judge() == verdict::passed);
  count_of(counter_read::kind::events, 2);
  count_of(counter_read::kind::users, 3);
  CAF_CHECK_EQUAL(count(violation::counter_wrong), 1u);
  CAF_CHECK_EQUAL(count(violation::presence_wrong), 1u);
}

CAF_TEST(a_history_without_an_end_is_invalid) {
  change(1, online, 0, {7});
  receive(0, publish(7));
  checked.finish();
  CAF_CHECK(checked.judge() == verdict::invalid);
}

CAF_TEST_FIXTURE_SCOPE_END()

// -- planted faults
// --------------------------------------------------------------

CAF_TEST(a_perfect_world_never_gives_an_alarm) {
  auto seed = test_seed();
  uint64_t decided = 0, undecided = 0, repeats = 0;
  for (int i = 0; i < 60; ++i) {
    auto checked = judged(perfect_world{seed + static_cast<uint64_t>(i)}.play(
        i % 3 == 0 ? 5'000 : 500));
    auto found = checked.result();
    for (auto& x : found.examples)
      CAF_MESSAGE("run " << i << ": " << to_string(x.what) << ": " << x.text);
    for (auto count : found.violations)
      CAF_REQUIRE_EQUAL(count, 0u);
    decided += found.decided;
    repeats += found.repeats_permitted;
    undecided += found.undecided;
  }
  // Most was judged, and what is permitted did happen.
  CAF_CHECK(decided > 4 * undecided);
  CAF_CHECK(undecided > 0);
  CAF_CHECK(repeats > 0);
}

CAF_TEST(one_lost_in_10000_is_found) {
  check_found(planted::loses_one_in_10000, violation::lost, 30'000);
}

CAF_TEST(two_that_are_swapped_are_found) {
  check_found(planted::swaps_two, violation::out_of_order, 3'000);
}

CAF_TEST(a_route_to_a_left_session_is_found) {
  check_found(planted::routes_to_a_left_session, violation::excess, 10'000);
}

CAF_TEST(a_skipped_fence_is_found) {
  check_found(planted::skips_a_fence, violation::stale_epoch, 10'000);
}

CAF_TEST(counting_twice_is_found) {
  check_found(planted::counts_twice, violation::counter_wrong, 1'000);
}

CAF_TEST(a_missed_join_is_found) {
  check_found(planted::misses_a_join, violation::lost, 15'000);
}
