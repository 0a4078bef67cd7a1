// SPDX-License-Identifier: MIT
#define CAF_SUITE core.inspection.actor_journal

#include "core/inspection/actor_journal.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using kind = actor_journal::kind;

CAF_TEST(a second start is a restart) {
  actor_journal journal;
  journal.add(kind::started, 10);
  journal.add(kind::failed, 20, "out of cheese");
  journal.add(kind::started, 30);
  auto events = journal.events();
  CAF_REQUIRE_EQUAL(events.size(), 3u);
  CAF_CHECK(events[0].what == kind::started);
  CAF_CHECK(events[1].what == kind::failed);
  CAF_CHECK_EQUAL(events[1].detail, "out of cheese");
  CAF_CHECK(events[2].what == kind::restarted);
  CAF_CHECK_EQUAL(events[2].at_unix_ns, 30);
}

CAF_TEST(how the last life ended is kept) {
  actor_journal journal;
  CAF_CHECK_EQUAL(journal.sum_up().starts, 0u);
  CAF_CHECK_EQUAL(journal.sum_up().running_since_unix_ns, 0);
  journal.add(kind::started, 10);
  CAF_CHECK_EQUAL(journal.sum_up().running_since_unix_ns, 10);
  CAF_CHECK_EQUAL(journal.sum_up().last_end_unix_ns, 0);
  journal.add(kind::killed, 15, "kill");
  journal.add(kind::failed, 20, "killed");
  auto x = journal.sum_up();
  CAF_CHECK_EQUAL(x.running_since_unix_ns, 0);
  CAF_CHECK_EQUAL(x.last_cause, "killed");
  CAF_CHECK_EQUAL(x.last_end_unix_ns, 20);
  journal.add(kind::started, 30);
  x = journal.sum_up();
  CAF_CHECK_EQUAL(x.starts, 2u);
  CAF_CHECK_EQUAL(x.running_since_unix_ns, 30);
  CAF_CHECK_EQUAL(x.last_cause, "killed");
}

CAF_TEST(the oldest events are forgotten) {
  actor_journal journal;
  for (int i = 0; i < 40; ++i)
    journal.add(kind::stuck, i);
  auto events = journal.events();
  CAF_REQUIRE_EQUAL(events.size(), actor_journal::events_max);
  CAF_CHECK_EQUAL(events.front().at_unix_ns, 8);
  CAF_CHECK_EQUAL(events.back().at_unix_ns, 39);
}

CAF_TEST(every kind has a name) {
  CAF_CHECK_EQUAL(to_string(kind::started), "started");
  CAF_CHECK_EQUAL(to_string(kind::unstuck), "unstuck");
  CAF_CHECK_EQUAL(to_string(kind::gave_up), "gave-up");
}
