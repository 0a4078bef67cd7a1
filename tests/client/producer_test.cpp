// SPDX-License-Identifier: MIT
#define CAF_SUITE client.producer

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

using client::producer;

struct fixture {
  private_server server;
  fake_fantail fantail{server};
  nats::event_loop loop{"test"};
  nats::connection via{loop, server.options()};
  std::mutex mutex;
  std::vector<producer::outcome> outcomes;
  producer tested{loop, via, options()};

  fixture() {
    via.start();
    CAF_REQUIRE(via.wait_up(10s));
  }

  static client::producer_options options() {
    client::producer_options result;
    result.publishing.acknowledge_timeout = 100ms;
    result.publishing.in_flight_max = 100;
    return result;
  }

  producer::handler keep() {
    return [this](const producer::outcome& x) {
      std::lock_guard guard{mutex};
      outcomes.push_back(x);
    };
  }

  void send(int number, event_class cls = event_class::critical) {
    auto text = std::to_string(number);
    while (tested.send("general", "id-" + text, text, keep(), cls)
           == producer::send_result::full)
      std::this_thread::sleep_for(1ms);
  }

  bool all_settled() {
    for (int i = 0; i < 4'000 && tested.in_flight() > 0; ++i)
      std::this_thread::sleep_for(5ms);
    // The handler of the last one may still be running.
    loop.run_and_wait([] {});
    return tested.in_flight() == 0;
  }

  auto& stored() {
    return fantail.log[shard_of("general", fake_fantail::shards).value];
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(producer_tests, fixture)

CAF_TEST(events are stored in the order of sending with their positions) {
  for (int i = 0; i < 500; ++i)
    send(i);
  CAF_REQUIRE(all_settled());
  CAF_REQUIRE_EQUAL(outcomes.size(), 500u);
  std::lock_guard guard{fantail.mutex};
  CAF_REQUIRE_EQUAL(stored().size(), 500u);
  for (size_t i = 0; i < 500; ++i) {
    CAF_REQUIRE_EQUAL(stored()[i].body, std::to_string(i));
    CAF_REQUIRE(outcomes[i].pos == position{i + 1});
  }
}

CAF_TEST(an event is stored once however often it is repeated) {
  std::mt19937_64 random{test_seed()};
  {
    std::lock_guard guard{fantail.mutex};
    auto sometimes = [&] {
      return random() % 5 == 0;
    };
    fantail.fault.loses_publish = sometimes;
    fantail.fault.loses_publish_ack = sometimes;
  }
  for (int i = 0; i < 300; ++i)
    send(i);
  CAF_REQUIRE(all_settled());
  CAF_CHECK(tested.repeats() > 0u);
  std::lock_guard guard{fantail.mutex};
  std::set<std::string> bodies;
  for (auto& event : stored())
    bodies.insert(event.body);
  CAF_CHECK_EQUAL(stored().size(), 300u);
  CAF_CHECK_EQUAL(bodies.size(), 300u);
}

CAF_TEST(the class travels in a header) {
  send(1, event_class::best_effort);
  CAF_REQUIRE(all_settled());
  std::lock_guard guard{fantail.mutex};
  CAF_CHECK(class_from_headers(stored()[0].headers)
            == event_class::best_effort);
}

CAF_TEST(illegal names and oversized bodies are not sent) {
  using result = producer::send_result;
  CAF_CHECK(tested.send("a b", "id", "x", keep()) == result::illegal);
  CAF_CHECK(tested.send("a", "i.d", "x", keep()) == result::illegal);
  std::string body(limits::payload_bytes_max + 1, 'x');
  CAF_CHECK(tested.send("a", "id", body, keep()) == result::illegal);
  CAF_CHECK_EQUAL(tested.in_flight(), 0u);
}

CAF_TEST(one event too many under way is not accepted) {
  server.kill();
  int accepted = 0;
  while (tested.send("general", "id-" + std::to_string(accepted), "x", keep())
         == producer::send_result::accepted)
    ++accepted;
  CAF_CHECK_EQUAL(accepted, 100);
  server.restart();
  CAF_CHECK(all_settled());
}

CAF_TEST_FIXTURE_SCOPE_END()
