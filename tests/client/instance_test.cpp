// SPDX-License-Identifier: MIT
#define CAF_SUITE client.instance

#include "client/instance.hpp"
#include "client/presence_source.hpp"
#include "client/producer.hpp"
#include "tests/client/fake_fantail.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>
#include <thread>

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

template <class Condition>
bool eventually(Condition holds) {
  for (auto until = std::chrono::steady_clock::now() + 20s;
       std::chrono::steady_clock::now() < until;
       std::this_thread::sleep_for(5ms))
    if (holds())
      return true;
  return false;
}

struct fixture {
  private_server server;
  fake_fantail fantail{server};
  nats::event_loop loop{"test"};
  nats::connection via{loop, server.options()};
  client::producer producer{loop, via};
  client::presence_source presence{loop, via};
  std::mutex mutex;
  std::vector<std::string> received;
  std::optional<client::instance> instance;

  fixture() {
    via.start();
    CAF_REQUIRE(via.wait_up(10s));
  }

  ~fixture() {
    // Its handler refers to the members above.
    instance.reset();
  }

  void start(delivery_format format) {
    client::instance_options options;
    options.name = "notif-001";
    options.format = format;
    options.reader.range_timeout = 100ms;
    options.register_timeout = 100ms;
    client::instance::handlers on;
    on.on_event = [this](const chat_event& event) {
      std::lock_guard guard{mutex};
      received.emplace_back(event.body);
    };
    instance.emplace(loop, via, options, on);
    instance->start();
    CAF_REQUIRE(instance->wait_registered(10s));
  }

  void join() {
    channel_list channels;
    channels.push_back("general");
    presence.online("ada", "s1", "notif-001", channels, nullptr);
    CAF_REQUIRE(eventually([&] { return presence.unanswered() == 0; }));
  }

  /// Publishes the numbers [first, last) and waits until they are stored.
  void publish(int first, int last) {
    for (auto i = first; i < last; ++i)
      producer.send("general", "id-" + std::to_string(i), std::to_string(i),
                    nullptr);
    CAF_REQUIRE(eventually([&] { return producer.in_flight() == 0; }));
  }

  std::vector<std::string> stored_bodies() {
    std::lock_guard guard{fantail.mutex};
    std::vector<std::string> result;
    auto shard = shard_of("general", fake_fantail::shards);
    for (auto& event : fantail.log[shard.value])
      result.push_back(event.body);
    return result;
  }

  bool receives(size_t count) {
    return eventually([&] {
      std::lock_guard guard{mutex};
      return received.size() >= count;
    });
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(instance_tests, fixture)

CAF_TEST(an instance of the format single receives events as published) {
  start(delivery_format::single);
  join();
  publish(0, 50);
  CAF_CHECK(receives(50));
  CAF_CHECK_EQUAL(received, stored_bodies());
}

CAF_TEST(an instance of the format frame receives and acknowledges) {
  start(delivery_format::frame);
  join();
  publish(0, 50);
  CAF_CHECK(receives(50));
  CAF_CHECK_EQUAL(received, stored_bodies());
  auto shard = shard_of("general", fake_fantail::shards);
  CAF_CHECK(eventually([&] {
    std::lock_guard guard{fantail.mutex};
    auto& acks = fantail.instances["notif-001"].last_ack.positions;
    return std::find(acks.begin(), acks.end(), std::pair{shard, position{50}})
           != acks.end();
  }));
}

CAF_TEST(lost frames and lost answers are made up for by ranges) {
  std::mt19937_64 random{test_seed()};
  {
    std::lock_guard guard{fantail.mutex};
    fantail.fault.loses_delivery = [&] {
      return random() % 4 == 0;
    };
  }
  start(delivery_format::frame);
  join();
  {
    std::lock_guard guard{fantail.mutex};
    fantail.fault.loses_answer = [&] {
      return random() % 4 == 0;
    };
  }
  publish(0, 300);
  {
    std::lock_guard guard{fantail.mutex};
    fantail.fault.loses_delivery = [] {
      return false;
    };
  }
  publish(300, 301);
  CAF_CHECK(receives(301));
  CAF_CHECK_EQUAL(received, stored_bodies());
  CAF_CHECK(instance->count().reader.requests > 0u);
}

CAF_TEST(a registration without an answer is repeated) {
  std::atomic<int> lost = 0;
  {
    std::lock_guard guard{fantail.mutex};
    fantail.fault.loses_answer = [&] {
      return ++lost <= 3;
    };
  }
  start(delivery_format::frame);
  CAF_CHECK(lost > 3);
}

CAF_TEST(an instance sends heartbeats as often as it was told) {
  start(delivery_format::single);
  CAF_CHECK(eventually([&] {
    std::lock_guard guard{fantail.mutex};
    return fantail.instances["notif-001"].heartbeats >= 4;
  }));
}

CAF_TEST(a server that restarts costs a frame instance nothing) {
  start(delivery_format::frame);
  join();
  publish(0, 20);
  server.restart();
  publish(20, 40);
  CAF_CHECK(receives(40));
  CAF_CHECK_EQUAL(received, stored_bodies());
}

CAF_TEST(a stopped instance is deregistered and receives nothing more) {
  start(delivery_format::single);
  join();
  instance->stop();
  CAF_CHECK(eventually([&] {
    std::lock_guard guard{fantail.mutex};
    return !fantail.instances.contains("notif-001");
  }));
  publish(0, 5);
  CAF_CHECK(received.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
