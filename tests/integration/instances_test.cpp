// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.instances

#include "tests/integration/raw_instance.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::test;

namespace {

constexpr auto* channel = raw_instance::channel;

using settings = std::vector<std::string>;

/// Three missed heartbeats are a second.
settings quick_to_notice(const std::string& ttl) {
  return {"presence.heartbeat-interval=300ms", "presence.ttl=" + ttl};
}

struct world {
  node_process node;
  std::optional<clients> talk;

  explicit world(settings x) : node(std::move(x)) {
    CAF_REQUIRE(node.start_and_wait());
    talk.emplace(node.nats_url());
  }

  ~world() {
    talk.reset();
    CAF_CHECK_EQUAL(node.stop(), 0);
  }

  std::vector<std::string> publish(int count) {
    std::vector<std::string> result;
    for (int i = 0; i < count; ++i)
      result.push_back(talk->publish(channel));
    CAF_REQUIRE(talk->all_stored());
    return result;
  }

  bool has_users_online(double count) {
    return eventually(
        [&] { return node.metric("fanout_routing_table_users") == count; });
  }

  /// The `lapses` that a heartbeat is answered with.
  std::optional<heartbeat_reply> beat(const std::string& instance) {
    auto answer = talk->via.request_wait(
        subjects::of_instance(subjects::instance_heartbeat, instance), "", 5s);
    return answer ? decode_heartbeat_reply(*answer).value : std::nullopt;
  }
};

/// An instance of the client library on a connection of its own, which ends
/// without a word.
struct mortal {
  nats::event_loop loop{"mortal"};
  nats::connection via;
  std::mutex mutex;
  std::vector<std::string> ids;
  int sessions_ended = 0;
  int replaced = 0;
  std::optional<client::instance> self;

  mortal(const std::string& url, client::instance_options options)
      : via(loop, clients::options_for(url)) {
    via.start();
    via.wait_up(patience);
    client::instance::handlers on;
    on.on_event = [this](const chat_event& x) {
      std::lock_guard guard{mutex};
      ids.emplace_back(header_value(x.headers, "Nats-Msg-Id"));
    };
    on.on_sessions_ended = [this] {
      std::lock_guard guard{mutex};
      ++sessions_ended;
    };
    on.on_replaced = [this] {
      std::lock_guard guard{mutex};
      ++replaced;
    };
    self.emplace(loop, via, std::move(options), std::move(on));
    self->start();
    self->wait_registered(patience);
  }

  std::vector<std::string> received() {
    std::lock_guard guard{mutex};
    return ids;
  }

  int count(int mortal::*what) {
    std::lock_guard guard{mutex};
    return this->*what;
  }
};

} // namespace

CAF_TEST(a silent frame instance is dead and catches up exactly) {
  world w{quick_to_notice("60s")};
  raw_instance slow{*w.talk, "slow"};
  CAF_REQUIRE(slow.begin());
  CAF_REQUIRE(w.talk->online("bob", "b1", "slow", {channel}));
  CAF_REQUIRE(w.talk->online("eve", "e1", "slow", {"other"}));
  CAF_REQUIRE(eventually([&] { return w.node.has_logged("instance-dead"); }));
  auto meant = w.publish(20);
  // What was meant for bob is his, though he leaves before it is fetched.
  CAF_REQUIRE(w.talk->leave("bob", {channel}));
  w.publish(20);
  CAF_CHECK(slow.ids().empty());
  CAF_REQUIRE(slow.catch_up(position{40}));
  CAF_CHECK(slow.ids() == meant);
  slow.acknowledge();
  CAF_CHECK(eventually([&] {
    return w.node.has_logged("instance-returned")
           && w.node.has_logged("instance-live");
  }));
  CAF_REQUIRE(w.talk->join("bob", {channel}));
  auto live = w.publish(1);
  meant.push_back(live[0]);
  CAF_CHECK(eventually([&] { return slow.ids() == meant; }));
  CAF_CHECK_EQUAL(slow.gaps(), 0u);
}

CAF_TEST(an instance that was silent for too long is told) {
  world w{quick_to_notice("1s")};
  raw_instance slow{*w.talk, "slow"};
  CAF_REQUIRE(slow.begin());
  CAF_REQUIRE(w.talk->online("bob", "b1", "slow", {channel}));
  CAF_REQUIRE(w.has_users_online(1));
  auto first = w.beat("slow");
  CAF_REQUIRE(first);
  CAF_CHECK_EQUAL(first->lapses, 0u);
  CAF_CHECK(w.has_users_online(0));
  auto later = w.beat("slow");
  CAF_REQUIRE(later);
  CAF_CHECK_EQUAL(later->lapses, 1u);
  CAF_CHECK(w.beat("stranger")->refusal == control_reject::unknown_instance);
}

CAF_TEST(the client library hears that its sessions are over) {
  world w{quick_to_notice("1s")};
  client::instance_options options{.name = "n1"};
  mortal one{w.node.nats_url(), options};
  CAF_REQUIRE(w.talk->online("bob", "b1", "n1", {channel}));
  auto id = w.publish(1);
  CAF_CHECK(eventually([&] { return one.received() == id; }));
  CAF_CHECK_EQUAL(one.count(&mortal::sessions_ended), 0);
  CAF_CHECK(w.has_users_online(1));
  // Its loop stands still for longer than the time to live.
  one.loop.post([] { std::this_thread::sleep_for(3s); });
  CAF_CHECK(w.has_users_online(0));
  CAF_CHECK(
      eventually([&] { return one.count(&mortal::sessions_ended) == 1; }));
  CAF_REQUIRE(w.talk->online("bob", "b1", "n1", {channel}));
  id.push_back(w.publish(1)[0]);
  CAF_CHECK(eventually([&] { return one.received() == id; }));
}

CAF_TEST(sessions end at once when their instance leaves) {
  world w{quick_to_notice("2min")};
  client::instance_options options{.name = "n1"};
  mortal one{w.node.nats_url(), options};
  for (auto* user : {"ada", "bob", "eve"})
    CAF_REQUIRE(w.talk->online(user, "s1", "n1", {channel}));
  CAF_CHECK(w.has_users_online(3));
  one.self->stop();
  CAF_CHECK(w.has_users_online(0));
}

CAF_TEST(a restarted instance goes on where it was) {
  world w{quick_to_notice("2min")};
  client::instance_options options{.name = "n1"};
  std::vector<std::string> published, received;
  std::vector<shard_start> kept;
  auto live = [&](mortal& x) {
    auto part = w.publish(10);
    published.insert(published.end(), part.begin(), part.end());
    CAF_CHECK(eventually([&] {
      auto now = x.received();
      return !now.empty() && now.back() == part.back();
    }));
    auto now = x.received();
    received.insert(received.end(), now.begin(), now.end());
    kept = x.self->positions();
  };
  auto die = [&] {
    auto part = w.publish(10);
    published.insert(published.end(), part.begin(), part.end());
  };
  {
    mortal one{w.node.nats_url(), options};
    CAF_REQUIRE(w.talk->online("bob", "b1", "n1", {channel}));
    live(one);
    // The next life begins where this one has acknowledged.
    std::this_thread::sleep_for(500ms);
  }
  die();
  options.start = start_from::acknowledged;
  {
    mortal one{w.node.nats_url(), options};
    live(one);
  }
  die();
  // What the service remembers itself survives the node, too.
  w.node.kill_node();
  CAF_REQUIRE(w.node.start_and_wait());
  die();
  options.positions = kept;
  {
    mortal one{w.node.nats_url(), options};
    live(one);
    client::instance_options other{.name = "n1"};
    mortal next{w.node.nats_url(), other};
    CAF_CHECK(eventually([&] { return one.count(&mortal::replaced) == 1; }));
    CAF_CHECK_EQUAL(next.count(&mortal::replaced), 0);
  }
  CAF_CHECK(received == published);
}

CAF_TEST(nobody listens for a plain instance and nothing is lost after it) {
  world w{{}};
  CAF_REQUIRE(w.talk->online("bob", "b1", "plain", {channel}));
  receiver other{*w.talk, "other", delivery_format::frame};
  CAF_REQUIRE(other.is_registered());
  CAF_REQUIRE(w.talk->online("ada", "a1", "other", {channel}));
  CAF_CHECK(eventually([&] {
    w.publish(20);
    return w.node.has_logged("instance-absent");
  }));
  w.publish(100);
  CAF_CHECK(eventually(
      [&] { return w.node.metric("fanout_deliveries_unheard_total") >= 100; }));
  receiver plain{*w.talk, "plain", delivery_format::single};
  // The server has the subscription when it has answered anything after it.
  w.talk->loop.run_and_wait([] {});
  CAF_REQUIRE(w.talk->online("eve", "e1", "plain", {channel}));
  auto wanted = w.publish(200);
  CAF_CHECK(plain.receives(wanted.back()));
  auto ids = plain.ids();
  auto first = std::find(ids.begin(), ids.end(), wanted.front());
  CAF_CHECK(std::vector(first, ids.end()) == wanted);
  CAF_CHECK(w.node.has_logged("instance-heard"));
}
