// SPDX-License-Identifier: MIT
#define CAF_SUITE actors.routing

#include "actors/egress.hpp"
#include "actors/node_guard.hpp"
#include "actors/presence_shard.hpp"
#include "actors/puller.hpp"
#include "actors/routing_shard.hpp"
#include "core/json.hpp"
#include "core/subject.hpp"
#include "tests/actors/actor_fixture.hpp"

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

/// One shard, one presence shard, two egresses, each with a bus of its own:
/// wired like a node, fed by hand.
struct fixture : actor_fixture {
  recording_bus bus[2];
  scripted_log chat_log, presence_log;
  std::vector<egress_actor> egresses;
  std::vector<routing_shard_actor> shards;
  presence_shard_actor presence;
  puller_actor chat, updates;
  bool is_ready = false, is_routing = false;
  uint64_t chat_to = 100, presence_to = 0;

  fixture() {
    for (auto* name : {"n0", "n1", "n2"})
      instances.intern(name);
    for (uint16_t i = 0; i < 2; ++i) {
      egress_deps deps;
      deps.env = env;
      deps.group = i;
      deps.bus = &bus[i];
      deps.shards = 1;
      egresses.push_back(adopt(sys.spawn(egress, deps)));
    }
    routing_shard_deps deps;
    deps.env = env;
    deps.shard = shard_id{0};
    deps.presence_shards = 1;
    deps.egresses = egresses;
    deps.owner = epoch{3};
    deps.settled = position{100};
    deps.created_at = "t1";
    deps.guard = spawn_guard();
    shards.push_back(adopt(sys.spawn(routing_shard, deps)));
    spawn_presence();
    chat = spawn_puller(chat_log, shards[0]);
    updates = spawn_puller(presence_log, presence);
    for (auto& x : egresses)
      caf::anon_send(x, link_reopened{1});
    caf::anon_send(updates, start_pulling{position{0}, {}});
    run();
    presence_log.opened(1, 0);
    run();
    caf::anon_send(chat, start_pulling{position{100}, "t1"});
    run();
    chat_log.opened(1, 100);
    run();
    serve();
  }

  ~fixture() override {
    chat_log.close();
    presence_log.close();
  }

  node_guard_actor spawn_guard() {
    node_guard_deps deps;
    deps.env = env;
    deps.shards = 1;
    deps.start_routing = [this](shard_id) {
      is_routing = true;
    };
    deps.on_ready = [this] {
      is_ready = true;
    };
    auto result = adopt(sys.spawn(node_guard, deps));
    caf::anon_send(result, instances_replayed{});
    return result;
  }

  void spawn_presence() {
    presence_shard_deps deps;
    deps.env = env;
    deps.ledger.shards = 1;
    deps.ledger.started = clock.now();
    deps.routing = shards;
    presence = adopt(sys.spawn(presence_shard, deps));
  }

  puller_actor spawn_puller(scripted_log& log, pull_sink_actor sink) {
    puller_deps deps;
    deps.env = env;
    deps.reader = &log;
    deps.sink = std::move(sink);
    return adopt(sys.spawn(puller, deps));
  }

  /// A presence change, stored at `at_ns` of the server's time.
  void update(std::string_view user, std::string_view body) {
    presence_log.to.on_pull(presence_log.attempt,
                            record(0, ++presence_to, user, body));
  }

  /// A chat event that is read at once.
  void say(std::string_view channel, uint64_t pending = 0) {
    ++chat_to;
    chat_log.to.on_pull(chat_log.attempt,
                        record(0, chat_to, channel,
                               "event " + std::to_string(chat_to), pending));
  }

  /// The server takes what was published; markers come back.
  /// Returns `instance:body` of what instances got.
  std::vector<std::string> serve(uint64_t life = 1) {
    std::vector<std::string> result;
    for (size_t i = 0; i < 2; ++i)
      while (!bus[i].messages.empty()) {
        auto x = bus[i].take();
        if (x.marker > 0)
          caf::anon_send(egresses[i], marker_returned{life, x.marker});
        else
          result.push_back(std::string{last_token(x.subject)} + ":" + x.body);
      }
    run();
    return result;
  }

  /// The statuses of all answers since the last call.
  std::vector<std::string> answers() {
    std::vector<std::string> result;
    for (auto& x : std::exchange(control.answers, {})) {
      auto body = json::parse(x.body);
      result.push_back(x.reply_to + " "
                       + (body ? body->string_or("status", "?") : "?"));
    }
    return result;
  }

  uint64_t settled() { return counts.shard[0].settled_to.get(); }
};

constexpr auto online_n0 = R"({"op":"online","session":"s1","instance":"n0",)"
                           R"("channels":["general"],"reply_to":"_INBOX.a.1"})";
constexpr auto online_n1 = R"({"op":"online","session":"s2","instance":"n1",)"
                           R"("channels":["general","quiet"]})";

using words = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(routing_tests, fixture)

CAF_TEST(an_event_reaches_exactly_the_instances_of_its_channel) {
  update("u1", online_n0);
  update("u2", online_n1);
  run();
  say("general");
  say("quiet");
  say("nobody");
  run();
  CAF_CHECK_EQUAL(serve(),
                  (words{"n0:event 101", "n1:event 101", "n1:event 102"}));
  CAF_CHECK_EQUAL(counts.shard[0].unroutable.get(), 1u);
}

CAF_TEST(joined_is_answered_once_the_shard_has_applied_it) {
  update("u1", online_n0);
  say("general");
  CAF_CHECK(answers().empty());
  run();
  CAF_CHECK_EQUAL(answers(), words{"_INBOX.a.1 joined"});
  say("general");
  run();
  auto got = serve();
  CAF_REQUIRE(!got.empty());
  CAF_CHECK_EQUAL(got.back(), "n0:event 102");
}

CAF_TEST(left_waits_for_events_that_were_stored_before_it) {
  update("u1", online_n0);
  run();
  answers();
  say("general", 5);
  run();
  presence_to = 200;
  auto body = R"({"op":"leave","channels":["general"],)"
              R"("reply_to":"_INBOX.a.2"})";
  presence_log.to.on_pull(presence_log.attempt, record(0, 201, "u1", body));
  run();
  CAF_CHECK(answers().empty());
  // Stored before the departure, so it still goes there.
  say("general", 4);
  run();
  CAF_CHECK(answers().empty());
  chat_to = 300;
  say("general", 3);
  run();
  CAF_CHECK_EQUAL(answers(), words{"_INBOX.a.2 left"});
  CAF_CHECK_EQUAL(serve(), (words{"n0:event 101", "n0:event 102"}));
}

CAF_TEST(a_position_settles_when_all_markers_are_back) {
  update("u1", online_n0);
  say("general");
  run();
  CAF_CHECK(settled() <= 100u);
  auto first = bus[0].messages.back().marker;
  auto second = bus[1].messages.back().marker;
  CAF_REQUIRE(first > 0 && second > 0);
  caf::anon_send(egresses[0], marker_returned{1, first});
  run();
  CAF_CHECK(settled() <= 100u);
  // Of another life of the link.
  caf::anon_send(egresses[1], marker_returned{7, second});
  run();
  CAF_CHECK(settled() <= 100u);
  caf::anon_send(egresses[1], marker_returned{1, second});
  run();
  CAF_CHECK_EQUAL(settled(), 101u);
}

CAF_TEST(the_settled_position_is_checkpointed_once_per_second) {
  pass(1s);
  CAF_CHECK(control.checkpoints.empty());
  say("general");
  run();
  pass(1s);
  CAF_CHECK(control.checkpoints.empty());
  serve();
  pass(1s);
  CAF_REQUIRE_EQUAL(control.checkpoints.size(), 1u);
  auto& x = control.checkpoints[0];
  CAF_CHECK(x.owner == epoch{3} && x.settled == position{101});
  CAF_CHECK_EQUAL(x.created_at, "t1");
  pass(1s);
  CAF_CHECK_EQUAL(control.checkpoints.size(), 1u);
}

CAF_TEST(nothing_is_published_while_the_link_is_down_and_all_of_it_after) {
  update("u1", online_n0);
  run();
  say("general");
  run();
  // Cut off before the server took anything.
  bus[0] = {};
  caf::anon_send(egresses[0], link_changed{false});
  say("general");
  run();
  pass(20ms);
  CAF_CHECK(bus[0].messages.empty());
  caf::anon_send(egresses[0], link_reopened{2});
  run();
  CAF_CHECK_EQUAL(serve(2), (words{"n0:event 101", "n0:event 102"}));
  pass(1s);
  CAF_CHECK_EQUAL(counts.egress[0].rewinds.get(), 2u);
}

CAF_TEST(a_slow_server_delays_the_next_write) {
  update("u1", online_n0);
  run();
  bus[0].unwritten = 64 * 1024 * 1024;
  say("general");
  run();
  CAF_CHECK(bus[0].messages.empty());
  bus[0].unwritten = 0;
  pass(20ms);
  CAF_CHECK_EQUAL(serve(), words{"n0:event 101"});
}

CAF_TEST(a_stream_that_begins_anew_is_routed_under_a_new_epoch) {
  update("u1", online_n0);
  say("general");
  run();
  serve();
  chat_log.to.on_link_down();
  chat_log.to.on_link_up();
  run();
  chat_log.opened(1, 0, "t2");
  run();
  CAF_REQUIRE_EQUAL(control.claims.size(), 1u);
  chat_log.opened(1, 0, "t2");
  run();
  chat_to = 0;
  say("general");
  run();
  // Nobody owns the new life yet.
  CAF_CHECK(serve().empty());
  control.claims[0]();
  run();
  CAF_CHECK_EQUAL(serve(), words{"n0:event 1"});
  CAF_CHECK_EQUAL(settled(), 1u);
  pass(1s);
  CAF_REQUIRE(!control.checkpoints.empty());
  CAF_CHECK(control.checkpoints.back().owner == epoch{4});
  CAF_CHECK_EQUAL(control.checkpoints.back().created_at, "t2");
  CAF_CHECK(control.checkpoints.back().settled == position{1});
}

CAF_TEST(a_bad_presence_change_is_refused_and_harms_nobody) {
  update("u1", R"({"op":"dance","reply_to":"_INBOX.a.3"})");
  update("u1", "\xff not JSON");
  update("u1", online_n0);
  run();
  CAF_CHECK_EQUAL(answers(),
                  (words{"_INBOX.a.3 rejected", "_INBOX.a.1 joined"}));
  CAF_CHECK_EQUAL(control.buried,
                  (words{"presence/unknown_op", "presence/malformed"}));
}

CAF_TEST(a_silent_session_is_expired_in_the_log) {
  update("u1", online_n0);
  run();
  pass_steadily(119s);
  CAF_CHECK(control.records.empty());
  pass_steadily(5s);
  CAF_REQUIRE(!control.records.empty());
  auto& x = control.records[0];
  CAF_CHECK_EQUAL(x.subject, "fantail.presence.0.u1");
  CAF_CHECK_EQUAL(x.newest, 1u);
  CAF_CHECK_EQUAL(json::parse(x.body)->string_or("op", ""), "expire");
}

CAF_TEST(a_process_that_stood_still_hears_instances_before_it_expires_any) {
  update("u1", online_n0);
  run();
  pass_steadily(119s);
  // Nobody was heard meanwhile, which says nothing about the instances.
  pass(10s);
  CAF_CHECK(control.records.empty());
  pass_steadily(3s);
  CAF_CHECK_EQUAL(control.records.size(), 1u);
}

CAF_TEST(routing_may_begin_when_presence_is_replayed) {
  CAF_CHECK(is_ready && is_routing);
}

CAF_TEST_FIXTURE_SCOPE_END()
