// SPDX-License-Identifier: MIT
#define CAF_SUITE core.supervision.supervisor_machine

#include "core/supervision/supervisor_machine.hpp"

#include "caf/test/unit_test.hpp"

#include <string>
#include <utility>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

using machine = supervisor_machine;
using phase = machine::child_phase;

/// What a machine says, as text: "+0" start, "-0" stop, "x0" kill, "end".
struct fixture {
  time_point now{1h};
  machine::actions out;
  std::optional<machine> sup;

  void make(supervision_strategy how, std::vector<child_spec> children,
            restart_intensity limit = {3, 10s}) {
    supervisor_spec spec;
    spec.id = "test";
    spec.strategy = how;
    spec.intensity = limit;
    spec.children = std::move(children);
    sup.emplace(std::move(spec));
  }

  std::string said() {
    std::string result;
    for (auto& x : std::exchange(out, {})) {
      if (!result.empty())
        result += ' ';
      using kind = machine::action::kind;
      if (x.what == kind::end)
        result += "end";
      else
        result += (x.what == kind::start  ? '+'
                   : x.what == kind::stop ? '-'
                                          : 'x')
                  + std::to_string(x.child);
    }
    return result;
  }

  std::string begin() {
    sup->begin(now, out);
    return said();
  }
  std::string started(size_t child) {
    sup->started(child, now, out);
    return said();
  }
  std::string not_started(size_t child) {
    sup->start_failed(child, "no", 0.5, now, out);
    return said();
  }
  std::string failed(size_t child, std::string cause = "boom") {
    sup->ended(child, child_end::failed, std::move(cause), 0.5, now, out);
    return said();
  }
  std::string done(size_t child) {
    sup->ended(child, child_end::orderly, "", 0.5, now, out);
    return said();
  }
  std::string stop() {
    sup->stop(now, out);
    return said();
  }
  std::string pass(duration time) {
    now += time;
    sup->tick(now, out);
    return said();
  }
  void run_all() {
    begin();
    for (size_t i = 0; i < sup->size(); ++i)
      started(i);
  }
};

child_spec child(std::string id,
                 restart_kind restart = restart_kind::permanent) {
  child_spec result;
  result.id = std::move(id);
  result.restart = restart;
  return result;
}

std::vector<child_spec> three() {
  return {child("a"), child("b"), child("c")};
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_machine_tests, fixture)

CAF_TEST(children_start_in_order_and_stop_in_reverse_order) {
  make(supervision_strategy::one_for_one, three());
  CAF_CHECK_EQUAL(begin(), "+0");
  CAF_CHECK_EQUAL(started(0), "+1");
  CAF_CHECK_EQUAL(started(1), "+2");
  CAF_CHECK_EQUAL(started(2), "");
  CAF_CHECK(sup->is_steady());
  CAF_CHECK_EQUAL(stop(), "-2");
  CAF_CHECK_EQUAL(done(2), "-1");
  CAF_CHECK_EQUAL(done(1), "-0");
  CAF_CHECK(!sup->is_ended());
  CAF_CHECK_EQUAL(done(0), "end");
  CAF_CHECK(sup->is_ended());
  CAF_CHECK_EQUAL(sup->cause(), "");
}

CAF_TEST(who_does_not_end_within_its_grace_is_killed) {
  auto children = three();
  children[1].grace = 0s;
  children[2].grace = 2s;
  make(supervision_strategy::one_for_one, children);
  run_all();
  CAF_CHECK_EQUAL(stop(), "-2");
  CAF_CHECK_EQUAL(pass(1999ms), "");
  CAF_CHECK_EQUAL(pass(1ms), "x2");
  CAF_CHECK_EQUAL(pass(1h), "");
  CAF_CHECK_EQUAL(failed(2), "x1");
  CAF_CHECK_EQUAL(failed(1), "-0");
  CAF_CHECK_EQUAL(done(0), "end");
}

CAF_TEST(a_failure_at_the_first_start_is_not_retried) {
  make(supervision_strategy::one_for_one, three());
  begin();
  started(0);
  CAF_CHECK_EQUAL(not_started(1), "-0");
  CAF_CHECK_EQUAL(done(0), "end");
  CAF_CHECK_EQUAL(sup->cause(),
                  "supervisor test: gave up: child b could not be started: no");
}

CAF_TEST(the_strategy_says_who_is_taken_along) {
  make(supervision_strategy::one_for_one, three());
  run_all();
  CAF_CHECK_EQUAL(failed(1), "+1");

  make(supervision_strategy::one_for_all, three());
  run_all();
  CAF_CHECK_EQUAL(failed(1), "-2");
  CAF_CHECK_EQUAL(done(2), "-0");
  CAF_CHECK_EQUAL(done(0), "+0");
  CAF_CHECK_EQUAL(started(0), "+1");
  CAF_CHECK_EQUAL(started(1), "+2");

  make(supervision_strategy::rest_for_one, three());
  run_all();
  CAF_CHECK_EQUAL(failed(1), "-2");
  CAF_CHECK_EQUAL(done(2), "+1");
  CAF_CHECK_EQUAL(started(1), "+2");
}

CAF_TEST(a_hopeless_child_is_not_tried_again) {
  make(supervision_strategy::one_for_one, {{"a"}, {"b"}});
  CAF_CHECK_EQUAL(begin(), "+0");
  CAF_CHECK_EQUAL(started(0), "+1");
  started(1);
  sup->ended(0, child_end::hopeless, "damaged", 0.5, now, out);
  CAF_CHECK_EQUAL(said(), "-1");
  CAF_CHECK_EQUAL(done(1), "end");
  CAF_CHECK_EQUAL(sup->cause(),
                  "supervisor test: gave up: child a cannot go on: damaged");
}

CAF_TEST(how_a_child_ended_decides_whether_it_comes_back) {
  make(supervision_strategy::one_for_one,
       {child("p"), child("t", restart_kind::transient),
        child("x", restart_kind::temporary)},
       {10, 10s});
  run_all();
  CAF_CHECK_EQUAL(done(0), "+0");
  started(0);
  CAF_CHECK_EQUAL(failed(1), "+1");
  started(1);
  CAF_CHECK_EQUAL(done(1), "");
  CAF_CHECK_EQUAL(failed(2), "");
  CAF_CHECK(sup->view(2, now).phase == phase::absent);
}

CAF_TEST(one_restart_too_many_ends_it_with_the_cause) {
  make(supervision_strategy::one_for_one, three(), {2, 10s});
  run_all();
  CAF_CHECK_EQUAL(failed(0), "+0");
  started(0);
  now += 5s;
  failed(1);
  pass(1s);
  started(1);
  CAF_CHECK_EQUAL(failed(2, "disk on fire"), "-1");
  CAF_CHECK_EQUAL(done(1), "-0");
  CAF_CHECK_EQUAL(done(0), "end");
  CAF_CHECK_EQUAL(sup->cause(),
                  "supervisor test: gave up: more than 2 restarts in 10000 ms, "
                  "the last of child c: disk on fire");
}

CAF_TEST(restarts_are_forgotten_after_the_period) {
  make(supervision_strategy::one_for_one, three(), {1, 10s});
  run_all();
  for (int i = 0; i < 5; ++i) {
    now += 10s + duration{1};
    CAF_CHECK_EQUAL(failed(0), "+0");
    CAF_CHECK_EQUAL(started(0), "");
  }
  // Exactly one period ago still counts.
  now += 10s;
  CAF_CHECK_EQUAL(failed(0), "-2");
}

CAF_TEST(a_child_has_an_intensity_of_its_own) {
  auto children = three();
  children[0].intensity = {1, 10s};
  make(supervision_strategy::one_for_one, children, {100, 10s});
  run_all();
  CAF_CHECK_EQUAL(failed(0), "+0");
  started(0);
  CAF_CHECK_EQUAL(failed(1), "+1");
  started(1);
  CAF_CHECK_EQUAL(failed(0), "-2");
}

CAF_TEST(pauses_grow_until_the_child_was_healthy) {
  make(supervision_strategy::one_for_one, three(), {100, 10s});
  run_all();
  auto pause_after_failure = [this] {
    auto first = failed(0);
    auto pause = sup->view(0, now).pause_left;
    if (pause > 0s) {
      CAF_CHECK_EQUAL(first, "");
      CAF_CHECK_EQUAL(pass(pause - duration{1}), "");
      CAF_CHECK_EQUAL(pass(duration{1}), "+0");
    } else {
      CAF_CHECK_EQUAL(first, "+0");
    }
    started(0);
    return pause;
  };
  now += 10s;
  CAF_CHECK(pause_after_failure() == 0s);
  for (auto whole : {20ms, 40ms, 80ms, 160ms}) {
    auto pause = pause_after_failure();
    CAF_CHECK(pause >= whole / 2 && pause <= whole);
  }
  now += 10s;
  CAF_CHECK(pause_after_failure() == 0s);
  CAF_CHECK(pause_after_failure() <= 20ms);
}

CAF_TEST(siblings_with_a_common_fate_wait_for_the_pause_too) {
  make(supervision_strategy::one_for_all, three(), {100, 10s});
  run_all();
  failed(2), done(1), done(0), started(0), started(1), started(2);
  CAF_CHECK_EQUAL(failed(2), "-1");
  CAF_CHECK_EQUAL(done(1), "-0");
  CAF_CHECK_EQUAL(done(0), "");
  CAF_CHECK_EQUAL(pass(20ms), "+0");
}

CAF_TEST(a_pause_of_one_does_not_hold_up_another) {
  make(supervision_strategy::one_for_one, three(), {100, 10s});
  run_all();
  failed(0), started(0);
  CAF_CHECK_EQUAL(failed(0), "");
  CAF_CHECK_EQUAL(failed(2), "+2");
}

CAF_TEST(a_start_that_is_not_possible_yet_is_no_failure) {
  make(supervision_strategy::one_for_one, three(), {0, 10s});
  begin();
  sup->start_deferred(0, now, out);
  CAF_CHECK_EQUAL(said(), "");
  CAF_CHECK_EQUAL(pass(1ms), "+0");
  CAF_CHECK_EQUAL(started(0), "+1");
  CAF_CHECK_EQUAL(sup->recent_restarts(now), 0u);
}

CAF_TEST(children_are_taken_on_later) {
  make(supervision_strategy::one_for_one, {child("a")}, {1, 10s});
  run_all();
  CAF_CHECK(sup->add(child("b", restart_kind::transient), now, out) == 1u);
  CAF_CHECK_EQUAL(said(), "+1");
  CAF_CHECK_EQUAL(started(1), "");
  CAF_CHECK(!sup->add(child("b"), now, out));
  done(1);
  CAF_CHECK(sup->add(child("b", restart_kind::transient), now, out) == 1u);
  CAF_CHECK_EQUAL(said(), "+1");
  // Its failure is one of many, and not the end of all.
  CAF_CHECK_EQUAL(not_started(1), "+1");
  CAF_CHECK(!sup->is_stopping());
  started(1);
  stop();
  CAF_CHECK(!sup->add(child("c"), now, out));
}

CAF_TEST_FIXTURE_SCOPE_END()
