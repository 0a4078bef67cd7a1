// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.delivery

#include "core/hash.hpp"
#include "tests/integration/clients.hpp"

#include "caf/test/unit_test.hpp"

#include <set>

using namespace fantail;
using namespace fantail::test;

namespace {

constexpr auto frame_format = delivery_format::frame;
constexpr auto single_format = delivery_format::single;

struct fixture {
  node_process node{{"presence.ttl=2s", "presence.heartbeat-interval=200ms"}};
  /// Plain instances that send no heartbeats; touched on the loop's thread.
  std::set<std::string> silent;
  std::optional<clients> talk;
  std::optional<receiver> f1, f2, s1, s2;

  fixture() {
    CAF_REQUIRE(node.start_and_wait());
    talk.emplace(node.nats_url());
    f1.emplace(*talk, "f1", frame_format);
    f2.emplace(*talk, "f2", frame_format);
    s1.emplace(*talk, "s1", single_format);
    s2.emplace(*talk, "s2", single_format);
    CAF_REQUIRE(f1->is_registered());
    CAF_REQUIRE(f2->is_registered());
    talk->loop.every(200ms, [this](time_point) {
      for (auto* name : {"s1", "s2"})
        if (!silent.contains(name))
          talk->via.publish(
              subjects::of_instance(subjects::instance_heartbeat, name), {});
    });
  }

  ~fixture() {
    talk->loop.run_and_wait([this] { silent = {"s1", "s2"}; });
    CAF_CHECK_EQUAL(node.stop(), 0);
  }

  /// True once the node has settled everything that was published.
  bool all_settled() {
    CAF_REQUIRE(talk->all_stored());
    return eventually([this] {
      auto stats = node.stats();
      uint64_t settled = 0;
      if (auto* shards = stats.find("Shards"); shards && shards->if_array())
        for (auto& shard : *shards->if_array())
          settled += static_cast<uint64_t>(shard.int_or("SettledTo", 0));
      return settled == talk->events_sent;
    });
  }

  /// Another channel of the shard of `channel`: what is behind an event there
  /// says that the event was routed.
  static std::string neighbour_of(const std::string& channel) {
    for (int i = 0;; ++i) {
      auto name = "neighbour-" + std::to_string(i);
      if (shard_of(name, 8) == shard_of(channel, 8))
        return name;
    }
  }
};

using ids = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(delivery_tests, fixture)

CAF_TEST(each instance gets the events of its channels in order and no others) {
  CAF_REQUIRE(talk->online("ada", "a1", "f1", {"general", "random"}));
  CAF_REQUIRE(talk->online("bob", "b1", "s1", {"general"}));
  CAF_REQUIRE(talk->online("cleo", "c1", "s2", {"elsewhere"}));
  std::map<std::string, ids> published;
  for (int i = 0; i < 200; ++i)
    for (auto* channel : {"general", "random", "nobody"})
      published[channel].push_back(talk->publish(channel));
  CAF_REQUIRE(all_settled());
  CAF_REQUIRE(f1->receives(published["general"].back()));
  CAF_REQUIRE(f1->receives(published["random"].back()));
  CAF_REQUIRE(s1->receives(published["general"].back()));
  std::map<std::string, ids> received;
  for (auto& x : f1->all())
    received[x.channel].push_back(x.id);
  published.erase("nobody");
  CAF_CHECK(received == published);
  CAF_CHECK(s1->ids() == published["general"]);
  CAF_CHECK(f2->ids().empty());
  CAF_CHECK(s2->ids().empty());
}

CAF_TEST(bodies and headers arrive as published in both formats) {
  CAF_REQUIRE(talk->online("ada", "a1", "f1", {"general"}));
  CAF_REQUIRE(talk->online("bob", "b1", "s1", {"general"}));
  std::string bytes;
  for (int i = 0; i < 256; ++i)
    bytes += static_cast<char>(i);
  std::vector<std::string> bodies{bytes, "{\"a\":1}",
                                  std::string(900'000, 'x')};
  for (size_t i = 0; i < bodies.size(); ++i) {
    auto headers = "NATS/1.0\r\nNats-Msg-Id: m" + std::to_string(i)
                   + "\r\nFantail-Class: best-effort\r\nX-Any: a b: c\r\n\r\n";
    CAF_REQUIRE(talk->via.request_wait("messages.send.general", bodies[i],
                                       patience, headers));
  }
  for (auto* to : {&*f1, &*s1}) {
    CAF_REQUIRE(to->receives("m2"));
    auto all = to->all();
    CAF_REQUIRE_EQUAL(all.size(), bodies.size());
    for (size_t i = 0; i < bodies.size(); ++i) {
      CAF_CHECK(all[i].body == bodies[i]);
      CAF_CHECK_EQUAL(header_value(all[i].headers, "X-Any"), "a b: c");
      CAF_CHECK_EQUAL(header_value(all[i].headers, "Fantail-Class"),
                      "best-effort");
    }
  }
}

CAF_TEST(an event without headers or without a body arrives) {
  CAF_REQUIRE(talk->online("ada", "a1", "f1", {"general"}));
  CAF_REQUIRE(talk->online("bob", "b1", "s1", {"general"}));
  CAF_REQUIRE(talk->via.request_wait("messages.send.general", "bare", 30s));
  CAF_REQUIRE(talk->via.request_wait("messages.send.general", "", 30s,
                                     "NATS/1.0\r\nX-Any: thing\r\n\r\n"));
  CAF_REQUIRE(talk->via.request_wait("messages.send.general", "", 30s));
  auto last = talk->publish("general");
  for (auto* to : {&*f1, &*s1}) {
    CAF_REQUIRE(to->receives(last));
    auto all = to->all();
    CAF_REQUIRE_EQUAL(all.size(), 4u);
    CAF_CHECK_EQUAL(all[0].body, "bare");
    CAF_CHECK_EQUAL(all[0].headers, "");
    CAF_CHECK_EQUAL(all[1].body, "");
    CAF_CHECK_EQUAL(header_value(all[1].headers, "X-Any"), "thing");
    CAF_CHECK_EQUAL(all[2].body, "");
    CAF_CHECK_EQUAL(all[2].headers, "");
  }
}

CAF_TEST(an event that was published twice arrives once) {
  CAF_REQUIRE(talk->online("ada", "a1", "f1", {"general"}));
  CAF_REQUIRE(talk->online("bob", "b1", "s1", {"general"}));
  for (int i = 0; i < 2; ++i)
    CAF_REQUIRE(talk->via.request_wait("messages.send.general", "x", patience,
                                       "NATS/1.0\r\nNats-Msg-Id: m\r\n\r\n"));
  auto last = talk->publish("general");
  for (auto* to : {&*f1, &*s1}) {
    CAF_REQUIRE(to->receives(last));
    CAF_CHECK(to->ids() == (ids{"m", last}));
  }
}

CAF_TEST(what is published right after joined arrives) {
  CAF_REQUIRE(talk->online("ada", "a1", "f1", {}));
  CAF_REQUIRE(talk->online("bob", "b1", "s1", {}));
  for (int i = 0; i < 20; ++i) {
    auto channel = "room-" + std::to_string(i);
    CAF_REQUIRE(talk->join("ada", {channel}));
    CAF_REQUIRE(talk->join("bob", {channel}));
    auto id = talk->publish(channel);
    CAF_CHECK(f1->receives(id));
    CAF_CHECK(s1->receives(id));
  }
}

CAF_TEST(nothing that is published after left arrives) {
  auto fence = neighbour_of("general");
  CAF_REQUIRE(talk->online("ada", "a1", "f1", {"general", fence}));
  CAF_REQUIRE(talk->online("bob", "b1", "s1", {"general", fence}));
  for (int i = 0; i < 10; ++i) {
    auto wanted = talk->publish("general");
    CAF_REQUIRE(talk->all_stored());
    CAF_REQUIRE(talk->leave("ada", {"general"}));
    CAF_REQUIRE(talk->leave("bob", {"general"}));
    auto unwanted = talk->publish("general");
    auto last = talk->publish(fence);
    for (auto* to : {&*f1, &*s1}) {
      CAF_REQUIRE(to->receives(last));
      CAF_CHECK_EQUAL(to->count(wanted), 1u);
      CAF_CHECK_EQUAL(to->count(unwanted), 0u);
    }
    CAF_REQUIRE(talk->join("ada", {"general"}));
    CAF_REQUIRE(talk->join("bob", {"general"}));
  }
}

CAF_TEST(sessions on two instances both get the events until one ends) {
  CAF_REQUIRE(talk->online("ada", "a1", "f1", {"general"}));
  CAF_REQUIRE(talk->online("ada", "a2", "s1", {}));
  auto both = talk->publish("general");
  CAF_CHECK(f1->receives(both));
  CAF_CHECK(s1->receives(both));
  CAF_REQUIRE(talk->offline("ada", "a1"));
  auto one = talk->publish("general");
  CAF_CHECK(s1->receives(one));
  CAF_REQUIRE(all_settled());
  CAF_CHECK_EQUAL(f1->count(one), 0u);
  CAF_CHECK_EQUAL(node.stats().int_or("Sessions", -1), 1);
  CAF_REQUIRE(talk->offline("ada", "a2"));
  auto none = talk->publish("general");
  CAF_REQUIRE(all_settled());
  CAF_CHECK_EQUAL(s1->count(none), 0u);
  CAF_CHECK_EQUAL(node.stats().int_or("TotalUsers", -1), 0);
}

CAF_TEST(a session that moves takes its channels along) {
  auto fence = neighbour_of("general");
  CAF_REQUIRE(talk->online("eve", "e1", "f1", {fence}));
  CAF_REQUIRE(talk->online("ada", "a1", "f1", {"general"}));
  CAF_REQUIRE(talk->online("ada", "a1", "s1", {}));
  auto moved = talk->publish("general");
  auto last = talk->publish(fence);
  CAF_CHECK(s1->receives(moved));
  CAF_CHECK(f1->receives(last));
  CAF_CHECK_EQUAL(f1->count(moved), 0u);
  CAF_CHECK_EQUAL(node.stats().int_or("Sessions", -1), 2);
}

CAF_TEST(membership outlives the sessions) {
  CAF_REQUIRE(talk->online("ada", "a1", "f1", {"general"}));
  CAF_REQUIRE(talk->offline("ada", "a1"));
  CAF_REQUIRE(talk->online("ada", "a2", "s1", {}));
  CAF_CHECK(s1->receives(talk->publish("general")));
}

CAF_TEST(sessions on a silent instance expire and the others stay) {
  CAF_REQUIRE(talk->online("ada", "a1", "s1", {"general"}));
  CAF_REQUIRE(talk->online("bob", "b1", "s2", {"general"}));
  CAF_REQUIRE(talk->online("cleo", "c1", "f1", {"general"}));
  // Longer than a life, so that who is left owes it to the heartbeats.
  std::this_thread::sleep_for(3s);
  CAF_CHECK_EQUAL(node.stats().int_or("TotalUsers", -1), 3);
  talk->loop.run_and_wait([this] { silent.insert("s1"); });
  CAF_CHECK(
      eventually([&] { return node.stats().int_or("TotalUsers", -1) == 2; }));
  auto id = talk->publish("general");
  CAF_CHECK(s2->receives(id));
  CAF_CHECK(f1->receives(id));
  CAF_REQUIRE(all_settled());
  CAF_CHECK_EQUAL(s1->count(id), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
