// SPDX-License-Identifier: MIT
#define CAF_SUITE actors.memory_limit

#include "actors/memory_guard.hpp"
#include "actors/presence_shard.hpp"
#include "actors/routing_shard.hpp"
#include "core/json.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/actors/memory_members.hpp"

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

struct fixture : actor_fixture {
  memory_members members;
  presence_shard_actor tested;
  uint64_t used = 0;
  int trims = 0;
  uint64_t last = 0;

  fixture() {
    presence_shard_deps deps;
    deps.env = env;
    deps.ledger = {1, 75s, 5s, clock.time};
    deps.members = &members;
    routing_shard_deps routing;
    routing.env = env;
    routing.presence_shards = 1;
    deps.routing = {adopt(sys.spawn(routing_shard, routing))};
    tested = adopt(sys.spawn(presence_shard, deps));
    memory_guard_deps memory;
    memory.env = env;
    memory.limit_bytes = 1'000;
    memory.measure = [this] {
      return used;
    };
    memory.trim = [this] {
      ++trims;
    };
    memory.presence = {tested};
    adopt(sys.spawn(memory_guard, memory));
    self->send(tested, log_found{{"t1", position{1}, position{0}}});
    run();
  }

  void put(std::string_view user, std::string_view body) {
    self->send(tested, pulled{record(0, ++last, user, body)});
    run();
  }

  void online(std::string_view user) {
    put(user, R"({"op":"online","session":"s1","instance":"n1",)"
              R"("reply_to":"_INBOX.a.1"})");
  }

  std::string last_status() {
    if (control.answers.empty())
      return "";
    return json::parse(control.answers.back().body)->string_or("status", "");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(memory_limit_tests, fixture)

CAF_TEST(new_sessions_are_refused_at_the_limit_and_accepted_below_it) {
  online("ada");
  CAF_CHECK_EQUAL(last_status(), "joined");
  used = 1'000;
  pass(300ms);
  CAF_CHECK(reports.has("memory-limit-reached"));
  CAF_CHECK_EQUAL(trims, 1);
  auto before = control.answers.size();
  online("bob");
  pass(100ms);
  // Not answered before the log has it.
  CAF_CHECK_EQUAL(control.answers.size(), before);
  CAF_REQUIRE_EQUAL(control.records.size(), 1u);
  CAF_CHECK_EQUAL(control.records[0].subject, "fantail.presence.0.bob");
  CAF_CHECK_EQUAL(control.records[0].newest, last);
  put("bob", control.records[0].body);
  CAF_CHECK_EQUAL(last_status(), "rejected");
  CAF_CHECK_EQUAL(
      json::parse(control.answers.back().body)->string_or("reason", ""),
      "memory_limit");
  CAF_CHECK(control.buried.empty());
  // Who is online already stays, and may come again.
  online("ada");
  CAF_CHECK_EQUAL(last_status(), "joined");
  used = 900;
  pass(300ms);
  CAF_CHECK(reports.has("memory-limit-left"));
  online("bob");
  CAF_CHECK_EQUAL(last_status(), "joined");
  CAF_CHECK_EQUAL(counts.presence[0].refused_for_memory.get(), 1u);
}

CAF_TEST(a_refused_session_that_returns_in_time_is_accepted) {
  used = 1'000;
  pass(300ms);
  online("bob");
  used = 0;
  pass(300ms);
  online("bob");
  CAF_CHECK_EQUAL(last_status(), "joined");
  auto records = control.records.size();
  for (int i = 0; i < 50; ++i)
    pass(100ms);
  CAF_CHECK_EQUAL(control.records.size(), records);
}

CAF_TEST(a_refused_session_that_goes_offline_has_left) {
  used = 1'000;
  pass(300ms);
  online("bob");
  put("bob", R"({"op":"offline","session":"s1","reply_to":"_INBOX.a.2"})");
  CAF_CHECK_EQUAL(last_status(), "left");
  CAF_CHECK(control.buried.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
