// SPDX-License-Identifier: MIT
#define CAF_SUITE client.presence_source

#include "client/presence_source.hpp"
#include "tests/client/fake_fantail.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>
#include <thread>

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

struct fixture {
  private_server server;
  fake_fantail fantail{server};
  nats::event_loop loop{"test"};
  nats::connection via{loop, server.options()};
  std::mutex mutex;
  std::vector<std::optional<presence_answer>> answers;
  client::presence_source presence{loop, via, options()};

  fixture() {
    via.start();
    CAF_REQUIRE(via.wait_up(10s));
  }

  static client::presence_source_options options() {
    client::presence_source_options result;
    result.answer_timeout = 100ms;
    result.attempts_max = 40;
    result.publishing.acknowledge_timeout = 100ms;
    result.publishing.in_flight_max = 10;
    return result;
  }

  client::presence_source::handler keep() {
    return [this](const std::optional<presence_answer>& x) {
      std::lock_guard guard{mutex};
      answers.push_back(x);
    };
  }

  static channel_list list(std::string_view channel) {
    channel_list result;
    result.push_back(channel);
    return result;
  }

  bool all_answered() {
    for (int i = 0; i < 4'000 && presence.unanswered() > 0; ++i)
      std::this_thread::sleep_for(5ms);
    return presence.unanswered() == 0;
  }

  std::string words() {
    std::lock_guard guard{mutex};
    std::string result;
    for (auto& x : answers)
      result.append(x ? to_string(x->what) : "nothing").append(" ");
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(presence_source_tests, fixture)

CAF_TEST(changes of one user are answered in their order) {
  presence.online("ada", "s1", "notif-001", list("general"), keep());
  presence.join("ada", list("random"), keep());
  presence.leave("ada", list("general"), keep());
  presence.set("ada", list("lobby"), keep());
  presence.offline("ada", "s1", keep());
  CAF_REQUIRE(all_answered());
  CAF_CHECK_EQUAL(words(), "joined joined left joined left ");
  CAF_CHECK(fantail.channels_of_user["ada"] == std::set<std::string>{"lobby"});
}

CAF_TEST(an illegal name is refused without being sent) {
  presence.join("a da", list("general"), keep());
  presence.join("ada", list("gen.eral"), keep());
  presence.offline("ada", "", keep());
  CAF_REQUIRE(all_answered());
  CAF_CHECK_EQUAL(words(), "rejected rejected rejected ");
  CAF_CHECK(answers[0]->reason == presence_reject::illegal_user);
  CAF_CHECK(answers[1]->reason == presence_reject::illegal_channel);
  CAF_CHECK(answers[2]->reason == presence_reject::illegal_session);
  CAF_CHECK(fantail.changes.empty());
}

CAF_TEST(a refusal is handed on) {
  presence.offline("ada", "s1", keep());
  CAF_REQUIRE(all_answered());
  CAF_CHECK_EQUAL(words(), "rejected ");
  CAF_CHECK(answers[0]->reason == presence_reject::unknown_session);
}

CAF_TEST(lost messages and answers do not change the order of effect) {
  std::mt19937_64 random{test_seed()};
  {
    std::lock_guard guard{fantail.mutex};
    // The faults are decided on another thread.
    auto sometimes = [dice = std::mt19937_64{random()}]() mutable {
      return dice() % 5 == 0;
    };
    fantail.fault.loses_publish = sometimes;
    fantail.fault.loses_publish_ack = sometimes;
    fantail.fault.loses_answer = sometimes;
  }
  std::map<std::string, std::set<std::string>> expected;
  for (int i = 0; i < 400; ++i) {
    auto user = "user-" + std::to_string(random() % 20);
    auto channel = "channel-" + std::to_string(random() % 5);
    if (random() % 2 == 0) {
      presence.join(user, list(channel), keep());
      expected[user].insert(channel);
    } else {
      presence.leave(user, list(channel), keep());
      expected[user].erase(channel);
    }
  }
  CAF_REQUIRE(all_answered());
  std::lock_guard guard{fantail.mutex};
  CAF_CHECK(fantail.channels_of_user == expected);
}

CAF_TEST(an offline that has to be repeated is answered left) {
  presence.online("ada", "s1", "notif-001", keep());
  CAF_REQUIRE(all_answered());
  std::atomic<int> lost = 0;
  {
    std::lock_guard guard{fantail.mutex};
    fantail.fault.loses_answer = [&] {
      return ++lost == 1;
    };
  }
  presence.offline("ada", "s1", keep());
  CAF_REQUIRE(all_answered());
  CAF_CHECK_EQUAL(words(), "joined left ");
}

CAF_TEST(a server that restarts costs no change) {
  for (int i = 0; i < 100; ++i)
    presence.join("user-" + std::to_string(i), list("general"), keep());
  server.restart();
  CAF_REQUIRE(all_answered());
  std::lock_guard guard{fantail.mutex};
  CAF_CHECK_EQUAL(fantail.channels_of_user.size(), 100u);
}

CAF_TEST_FIXTURE_SCOPE_END()
