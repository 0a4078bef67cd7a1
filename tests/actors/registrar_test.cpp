// SPDX-License-Identifier: MIT
#define CAF_SUITE actors.registrar

#include "actors/egress.hpp"
#include "actors/node_guard.hpp"
#include "actors/outbox.hpp"
#include "actors/presence_shard.hpp"
#include "actors/registrar.hpp"
#include "actors/routing_shard.hpp"
#include "core/frame.hpp"
#include "core/json.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/actors/memory_members.hpp"

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

/// Remembers what it was asked for, and answers when the test says so.
struct scripted_ranges final : range_reader_port {
  struct job {
    position from, to;
    std::function<void(result)> handler;
  };
  std::vector<job> jobs;
  void read(shard_id, position from, position to, size_t,
            std::function<void(result)> handler) override {
    jobs.push_back({from, to, std::move(handler)});
  }
};

struct fixture : actor_fixture {
  memory_members members;
  recording_bus bus;
  scripted_ranges ranges;
  std::vector<egress_actor> egresses;
  std::vector<routing_shard_actor> shards;
  registrar_actor tested;
  bool is_ready = false;
  uint64_t last_record = 0;

  fixture() {
    egress_deps deps;
    deps.env = env;
    deps.bus = &bus;
    deps.shards = 1;
    egresses.push_back(adopt(sys.spawn(egress, deps)));
    spawn_shard();
    spawn_registrar();
    caf::anon_send(egresses[0], link_reopened{1});
    run();
    send_as_puller(log_found{{"t1", position{1}, position{0}}});
  }

  void spawn_shard() {
    routing_shard_deps deps;
    deps.env = env;
    deps.presence_shards = 1;
    deps.egresses = egresses;
    deps.owner = epoch{3};
    deps.settled = position{100};
    shards.push_back(adopt(sys.spawn(routing_shard, deps)));
  }

  void spawn_registrar() {
    node_guard_deps guard_deps;
    guard_deps.env = env;
    guard_deps.shards = 1;
    guard_deps.start_routing = [](shard_id) {
      // The shard of this test needs no puller.
    };
    guard_deps.on_ready = [this] {
      is_ready = true;
    };
    registrar_deps deps;
    deps.env = env;
    deps.egresses = egresses;
    deps.guard = adopt(sys.spawn(node_guard, guard_deps));
    caf::anon_send(deps.guard, table_exact{shard_id{0}});
    deps.spawn_outbox = [this](instance_index index) {
      return adopt(
          sys.spawn(outbox_server, outbox_deps{env, index, &ranges, shards}));
    };
    deps.shards = 1;
    deps.presence_shards = 1;
    deps.heartbeat_ms = 5'000;
    deps.frame_bytes_max = 65'536;
    deps.watch = instance_watch::config::of(5s, 75s);
    deps.presence = {adopt(sys.spawn(presence_shard, presence_deps()))};
    tested = adopt(sys.spawn(registrar, deps));
  }

  presence_shard_deps presence_deps() {
    presence_shard_deps deps;
    deps.env = env;
    deps.ledger = {1, 75s, 5s, clock.time};
    deps.members = &members;
    deps.routing = shards;
    return deps;
  }

  /// The registrar takes the sender for its puller.
  template <class T>
  void send_as_puller(T x) {
    self->send(tested, std::move(x));
    run();
  }

  void put(std::string_view instance, std::string_view body) {
    send_as_puller(pulled{record(0, ++last_record, instance, body)});
  }

  void say(instance_spoke::kind what, std::string instance, std::string body,
           std::string reply_to = "_INBOX.r.1") {
    caf::anon_send(tested,
                   instance_spoke{what, std::move(instance), std::move(body),
                                  std::move(reply_to)});
    run();
  }

  void ask_range(uint64_t from, uint64_t to, std::string life = "i1",
                 uint16_t shard = 0) {
    say(instance_spoke::kind::range, "n1",
        encode(range_request{life, shard_id{shard}, position{from},
                             position{to}}));
  }

  /// The user u1 is online on n1, in the channel "general".
  void put_online() {
    auto change = std::make_shared<presence_delta>();
    change->number = 1;
    user_change add;
    add.instance = *instances.find("n1");
    change->changes.push_back(add);
    user_change set;
    set.what = user_change::kind::set_channels;
    set.channels.push_back("general");
    change->changes.push_back(set);
    caf::anon_send(shards[0], apply_delta{change});
    run();
  }

  std::string last_answer() {
    return control.answers.empty() ? "" : control.answers.back().body;
  }

  std::string reason() {
    auto body = json::parse(last_answer());
    return body ? body->string_or("reason", "none") : last_answer();
  }
};

constexpr auto register_n1 = R"({"op":"register","format":"frame",)"
                             R"("incarnation":"i1","reply_to":"_INBOX.a.1"})";

} // namespace

CAF_TEST_FIXTURE_SCOPE(registrar_tests, fixture)

CAF_TEST(a_registration_is_answered_with_the_positions) {
  CAF_CHECK(is_ready);
  put("n1", register_n1);
  CAF_REQUIRE_EQUAL(control.answers.size(), 1u);
  CAF_CHECK_EQUAL(control.answers[0].reply_to, "_INBOX.a.1");
  auto answer = decode_registration_reply(last_answer());
  CAF_REQUIRE(answer);
  auto& x = std::get<instance_registered>(*answer);
  CAF_CHECK_EQUAL(x.instance, "n1");
  CAF_CHECK_EQUAL(x.incarnation, "i1");
  CAF_CHECK_EQUAL(x.frame_bytes_max, 65'536u);
  CAF_REQUIRE_EQUAL(x.positions.size(), 1u);
  CAF_CHECK(x.positions[0].epoch == epoch{3});
  CAF_CHECK(x.positions[0].at == position{100});
}

CAF_TEST(a_bad_registration_is_refused_and_buried) {
  put("n1", R"({"op":"register","format":"fancy","incarnation":"i1",)"
            R"("reply_to":"_INBOX.a.1"})");
  CAF_CHECK_EQUAL(reason(), "unknown_format");
  CAF_CHECK_EQUAL(control.buried.back(), "register/unknown_format");
}

CAF_TEST(a_range_is_routed_for_the_instance_alone) {
  put("n1", register_n1);
  put_online();
  ask_range(80, 90);
  CAF_REQUIRE_EQUAL(ranges.jobs.size(), 1u);
  CAF_CHECK(ranges.jobs[0].from == position{80});
  pull_builder builder{shard_id{0}, position{80}};
  builder.add(position{82}, 1, "general", {}, "wanted");
  builder.add(position{85}, 2, "other", {}, "not wanted");
  builder.extend(position{90});
  ranges.jobs[0].handler({builder.finish(0, 0), {}});
  run();
  auto answer = last_answer();
  auto got = frame::read(answer);
  CAF_REQUIRE(got && got->size() == 1);
  auto& section = got->front();
  CAF_CHECK(section.header
            == (frame::section_header{shard_id{0}, frame::replay, epoch{3},
                                      position{80}, position{90}}));
  CAF_REQUIRE_EQUAL(section.events.size(), 1u);
  CAF_CHECK_EQUAL(section.events[0].body, "wanted");
}

CAF_TEST(a_range_never_speaks_for_what_is_not_routed_yet) {
  put("n1", register_n1);
  put_online();
  ask_range(95, 120);
  pull_builder builder{shard_id{0}, position{95}};
  builder.add(position{98}, 1, "general", {}, "routed");
  builder.add(position{101}, 2, "general", {}, "not yet");
  builder.extend(position{120});
  ranges.jobs.at(0).handler({builder.finish(0, 0), {}});
  run();
  auto answer = last_answer();
  auto got = frame::read(answer);
  CAF_REQUIRE(got && got->size() == 1);
  CAF_CHECK(got->front().header.to == position{100});
  CAF_CHECK_EQUAL(got->front().events.size(), 1u);
}

CAF_TEST(one_range_per_shard_at_a_time) {
  put("n1", register_n1);
  ask_range(80, 90);
  ask_range(80, 90);
  CAF_CHECK_EQUAL(reason(), "busy");
  CAF_CHECK_EQUAL(ranges.jobs.size(), 1u);
  // A reader that never answers does not block the shard for ever.
  pass(11s);
  ask_range(80, 90);
  CAF_CHECK_EQUAL(ranges.jobs.size(), 2u);
}

CAF_TEST(a_range_that_cannot_be_read_is_refused) {
  put("n1", register_n1);
  ask_range(80, 90);
  ranges.jobs[0].handler({nullptr, position{85}});
  run();
  CAF_CHECK_EQUAL(reason(), "lost");
  CAF_CHECK_EQUAL(json::parse(last_answer())->int_or("first", 0), 85);
  ask_range(84, 90);
  ranges.jobs[1].handler({nullptr, position{0}});
  run();
  CAF_CHECK_EQUAL(reason(), "busy");
}

CAF_TEST(ranges_of_strangers_are_refused) {
  ask_range(1, 2);
  CAF_CHECK_EQUAL(reason(), "unknown_instance");
  put("n1", register_n1);
  ask_range(1, 2, "i0");
  CAF_CHECK_EQUAL(reason(), "old_incarnation");
  ask_range(1, 2, "i1", 7);
  CAF_CHECK_EQUAL(reason(), "unknown_shard");
  say(instance_spoke::kind::range, "n1", "{");
  CAF_CHECK_EQUAL(reason(), "malformed");
  auto before = control.answers.size();
  // A body must not make us publish to any subject.
  say(instance_spoke::kind::range, "n1", "{", "messages.send.general");
  CAF_CHECK_EQUAL(control.answers.size(), before);
  CAF_CHECK(ranges.jobs.empty());
}

CAF_TEST(strange_words_are_buried) {
  say(instance_spoke::kind::ack, "n9", "{}");
  CAF_CHECK_EQUAL(control.buried.back(), "ack/unknown_instance");
  put("n1", register_n1);
  say(instance_spoke::kind::ack, "n1", "[]");
  CAF_CHECK_EQUAL(control.buried.back(), "ack/malformed");
  auto before = control.buried.size();
  say(instance_spoke::kind::heartbeat, "n1", "");
  say(instance_spoke::kind::heartbeat, "n9", "");
  CAF_CHECK_EQUAL(control.buried.size(), before);
}

CAF_TEST(a_silent_instance_dies_and_is_told_when_its_sessions_are_over) {
  put("n1", register_n1);
  auto beat = [&](std::string life) {
    say(instance_spoke::kind::heartbeat, "n1",
        encode(instance_heartbeat{std::move(life)}));
    return decode_heartbeat_reply(last_answer())
        .value.value_or(heartbeat_reply{control_reject::malformed, 0});
  };
  CAF_CHECK((beat("i1") == heartbeat_reply{}));
  auto silence = [&](int seconds) {
    for (int i = 0; i < 10 * seconds; ++i)
      pass(100ms);
  };
  silence(16);
  CAF_CHECK(reports.has("instance-dead"));
  CAF_CHECK(reports.has("instance-lagging"));
  CAF_CHECK_EQUAL(counts.instances_dead.get(), 1u);
  CAF_CHECK((beat("i1") == heartbeat_reply{}));
  CAF_CHECK(reports.has("instance-returned"));
  silence(76);
  CAF_CHECK_EQUAL(beat("i1").lapses, 1u);
  CAF_CHECK_EQUAL(beat("i1").lapses, 1u);
  CAF_CHECK_EQUAL(beat("").lapses, 1u);
}

CAF_TEST(a_life_that_was_replaced_is_refused_everywhere) {
  put("n1", register_n1);
  put("n1", R"({"op":"register","format":"frame","incarnation":"i2"})");
  say(instance_spoke::kind::heartbeat, "n1", encode(instance_heartbeat{"i1"}));
  CAF_CHECK_EQUAL(reason(), "old_incarnation");
  ask_range(1, 2, "i1");
  CAF_CHECK_EQUAL(reason(), "old_incarnation");
  say(instance_spoke::kind::ack, "n1",
      encode(instance_ack{"i1", {{shard_id{0}, position{7}}}}));
  auto rejected = counts.rejected.snapshot();
  CAF_CHECK_EQUAL(rejected.at("ack/old_incarnation"), 1u);
  // Nor can it end the sessions of the one that lives.
  auto before = control.answers.size();
  put("n1", R"({"op":"deregister","incarnation":"i1"})");
  say(instance_spoke::kind::heartbeat, "n1", encode(instance_heartbeat{"i2"}));
  CAF_REQUIRE_EQUAL(control.answers.size(), before + 1);
  CAF_CHECK_EQUAL(json::parse(last_answer())->string_or("status", ""), "alive");
}

CAF_TEST(the_sessions_of_an_instance_that_leaves_end_through_the_log) {
  put("n1", register_n1);
  auto presence = sys.spawn(presence_shard, presence_deps());
  adopt(presence);
  auto tell = [&](auto x) {
    self->send(presence, std::move(x));
    run();
  };
  tell(log_found{{"t1", position{1}, position{0}}});
  tell(pulled{record(0, 1, "ada",
                     R"({"op":"online","session":"s1","instance":"n1"})")});
  tell(instances_left{{*instances.find("n1")}});
  pass(200ms);
  CAF_REQUIRE_EQUAL(control.records.size(), 1u);
  CAF_CHECK_EQUAL(control.records[0].subject, "fantail.presence.0.ada");
  CAF_CHECK_EQUAL(control.records[0].newest, 1u);
  CAF_CHECK_EQUAL(json::parse(control.records[0].body)->string_or("op", ""),
                  "expire");
}

CAF_TEST(a_new_life_resumes_where_the_one_before_was) {
  put("n1", register_n1);
  put_online();
  say(instance_spoke::kind::ack, "n1",
      encode(instance_ack{"i1", {{shard_id{0}, position{100}}}}));
  caf::anon_send(shards[0], pulled{record(0, 101, "general", "one")});
  run();
  put("n1", R"({"op":"register","format":"frame","incarnation":"i2",)"
            R"("start":"acknowledged","reply_to":"_INBOX.a.1"})");
  auto answer = decode_registration_reply(last_answer());
  CAF_REQUIRE(answer);
  auto& x = std::get<instance_registered>(*answer);
  CAF_CHECK(x.positions.at(0).at == position{100});
  CAF_CHECK_EQUAL(x.ttl_ms, 75'000u);
  put("n1", R"({"op":"register","format":"frame","incarnation":"i3",)"
            R"("reply_to":"_INBOX.a.1"})");
  answer = decode_registration_reply(last_answer());
  CAF_CHECK(std::get<instance_registered>(*answer).positions.at(0).at
            == position{101});
}

CAF_TEST(a_link_that_was_down_ends_nobodys_session) {
  put("n1", register_n1);
  auto presence = sys.spawn(presence_shard, presence_deps());
  adopt(presence);
  auto tell = [&](auto x) {
    self->send(presence, std::move(x));
    run();
  };
  tell(log_found{{"t1", position{1}, position{0}}});
  tell(pulled{record(0, 1, "ada",
                     R"({"op":"online","session":"s1","instance":"n1"})")});
  tell(link_changed{false});
  for (int i = 0; i < 1'000; ++i)
    pass(100ms);
  CAF_CHECK(control.records.empty());
  tell(instances_seen{{*instances.find("n1")}});
  tell(link_changed{true});
  pass(100ms);
  CAF_CHECK(control.records.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
