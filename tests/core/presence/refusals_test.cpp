// SPDX-License-Identifier: MIT
#define CAF_SUITE core.presence.refusals

#include "core/memory_gate.hpp"
#include "core/presence/refusals.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace std::chrono_literals;

namespace {

refusals::refusal at(uint64_t version, std::string reply_to = {}) {
  return {log_position{version}, std::move(reply_to)};
}

std::vector<refusals::due_expire> due(refusals& x, time_point now) {
  std::vector<refusals::due_expire> result;
  x.take_due(now, result);
  return result;
}

} // namespace

CAF_TEST(a refusal is appended until the log says it) {
  refusals tested;
  time_point now{1h};
  tested.add("ada", "s1", at(7, "_INBOX.a"));
  auto first = due(tested, now);
  CAF_REQUIRE_EQUAL(first.size(), 1u);
  CAF_CHECK_EQUAL(first[0].session, "s1");
  CAF_CHECK(first[0].version == log_position{7});
  CAF_CHECK(due(tested, now + 1s).empty());
  // A newer record of the user makes the first attempt fail.
  tested.saw("ada", log_position{9});
  tested.saw("eve", log_position{11});
  auto second = due(tested, now + 2s);
  CAF_REQUIRE_EQUAL(second.size(), 1u);
  CAF_CHECK(second[0].version == log_position{9});
  CAF_CHECK(!tested.settled("ada", "s2"));
  auto done = tested.settled("ada", "s1");
  CAF_REQUIRE(done);
  CAF_CHECK_EQUAL(done->reply_to, "_INBOX.a");
  CAF_CHECK(tested.empty());
}

CAF_TEST(the refusals waiting are bounded) {
  refusals tested;
  for (size_t i = 0; i < limits::refusals_pending_max; ++i) {
    CAF_CHECK(!tested.is_full());
    tested.add("u" + std::to_string(i), "s", at(i));
  }
  CAF_CHECK(tested.is_full());
}

CAF_TEST(a node short of memory needs some more to have enough) {
  memory_gate gate{1'000};
  CAF_CHECK(!gate.sample(999));
  CAF_CHECK(gate.sample(1'000));
  CAF_CHECK(!gate.sample(951));
  CAF_CHECK(gate.is_short());
  CAF_CHECK(gate.sample(949));
  CAF_CHECK(!gate.is_short());
}
