// SPDX-License-Identifier: MIT
#define CAF_SUITE core.inspection.trace_log

#include "core/inspection/trace_log.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

namespace {

struct fixture {
  trace_log log;

  /// Three events of shard 3: "a", "b", "a", at positions 11 to 13.
  static pull_ptr some_pull() {
    pull_builder builder{shard_id{3}, position{10}};
    uint64_t at = 10;
    for (auto* channel : {"a", "b", "a"}) {
      ++at;
      builder.add(position{at}, 1, channel,
                  "NATS/1.0\r\nNats-Msg-Id: e" + std::to_string(at)
                      + "\r\n\r\n",
                  "body");
    }
    return builder.finish(1'000, 0);
  }

  void route(uint64_t number = 7) {
    log.routed(*some_pull(), number, {2, 0, 1}, {"routing/shard-3", 1'500});
  }

  static std::string told(trace_log::trace& x) {
    std::string result;
    for (auto& step : x.take())
      result += (result.empty() ? "" : " ") + std::string{to_string(step.hop)}
                + ":" + std::to_string(step.at.value);
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(tests, fixture)

CAF_TEST(nobody is watched while nobody looks) {
  CAF_CHECK(!log.is_watched());
  auto trace = log.open({"a", "", ""});
  CAF_CHECK(log.is_watched());
  trace.reset();
  CAF_CHECK(!log.is_watched());
  route();
}

CAF_TEST(events of a channel are followed to their end) {
  auto trace = log.open({"a", "", "", 2});
  route();
  auto steps = trace->take();
  CAF_REQUIRE_EQUAL(steps.size(), 4u);
  CAF_CHECK(steps[0].hop == trace_hop::pulled);
  CAF_CHECK_EQUAL(steps[0].at_ns, 1'000);
  CAF_CHECK_EQUAL(steps[0].since_pulled_ns, 0);
  CAF_CHECK(steps[1].hop == trace_hop::routed);
  CAF_CHECK_EQUAL(steps[1].since_pulled_ns, 500);
  CAF_CHECK_EQUAL(steps[1].detail, "to 2 instances");
  CAF_CHECK_EQUAL(steps[1].actor, "routing/shard-3");
  CAF_CHECK_EQUAL(steps[3].detail, "to 1 instance");
  CAF_CHECK_EQUAL(steps[3].at.value, 13u);
  log.passed(trace_hop::written, shard_id{3}, 7, {"delivery/egress-0", 1'600});
  log.passed(trace_hop::written, shard_id{3}, 8, {"delivery/egress-0", 1'600});
  log.passed(trace_hop::written, shard_id{4}, 7, {"delivery/egress-0", 1'600});
  CAF_CHECK_EQUAL(told(*trace), "written:11 written:13");
  log.settled(shard_id{3}, position{12}, {"routing/shard-3", 1'700});
  CAF_CHECK_EQUAL(told(*trace), "settled:11");
  CAF_CHECK(!trace->is_done());
  log.settled(shard_id{3}, position{13}, {"routing/shard-3", 1'800});
  CAF_CHECK(!trace->is_done());
  CAF_CHECK_EQUAL(told(*trace), "settled:13");
  CAF_CHECK(trace->is_done());
}

CAF_TEST(no more than was wished for is followed) {
  auto trace = log.open({"a", "", "", 1});
  route();
  route(8);
  CAF_CHECK_EQUAL(told(*trace), "pulled:11 routed:11");
}

CAF_TEST(one event is found by its id) {
  auto trace = log.open({"", "e12", "", 10});
  route();
  CAF_CHECK_EQUAL(told(*trace), "pulled:12 routed:12");
  log.settled(shard_id{3}, position{13}, {"routing/shard-3", 1'800});
  CAF_CHECK_EQUAL(told(*trace), "settled:12");
  CAF_CHECK(trace->is_done());
}

CAF_TEST(changes of a user are followed until they are in effect) {
  auto trace = log.open({"", "", "ada", 1});
  route();
  log.applied(presence_shard_id{1}, "bob", position{4}, 10, {"p", 20});
  log.applied(presence_shard_id{1}, "ada", position{5}, 10, {"p", 20});
  // What was applied is not in the deltas yet.
  log.in_effect(presence_shard_id{1}, 99, {"p", 25});
  log.told(presence_shard_id{1}, 100);
  log.in_effect(presence_shard_id{1}, 99, {"p", 30});
  log.in_effect(presence_shard_id{2}, 100, {"p", 30});
  CAF_CHECK_EQUAL(told(*trace), "pulled:5 applied:5");
  log.in_effect(presence_shard_id{1}, 100, {"p", 40});
  auto steps = trace->take();
  CAF_REQUIRE_EQUAL(steps.size(), 1u);
  CAF_CHECK(steps[0].hop == trace_hop::in_effect);
  CAF_CHECK(steps[0].is_presence);
  CAF_CHECK_EQUAL(steps[0].name, "ada");
  CAF_CHECK_EQUAL(steps[0].since_pulled_ns, 30);
  CAF_CHECK(trace->is_done());
}

CAF_TEST(a viewer who does not read costs bounded memory) {
  auto trace = log.open({"a", "", "", 2});
  route();
  for (int i = 0; i < 20'000; ++i)
    log.passed(trace_hop::written, shard_id{3}, 7, {"e", 1});
  CAF_CHECK_EQUAL(trace->take().size(), trace_log::trace::steps_max);
}

CAF_TEST_FIXTURE_SCOPE_END()
