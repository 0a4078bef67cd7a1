// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.memory_limit

#include "tests/integration/clients.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::test;

CAF_TEST(at its memory limit a node refuses presence and goes on routing) {
  node_process node{{"node.memory-limit=64MiB"}};
  CAF_REQUIRE(node.start_and_wait());
  std::optional<clients> talk{node.nats_url()};
  std::optional<receiver> one{std::in_place, *talk, "one",
                              delivery_format::frame};
  CAF_REQUIRE(one->is_registered());
  CAF_REQUIRE(talk->online("ada", "a1", "one", {"general"}));
  // Users with 4,000 channels of their own, until one is refused.
  int accepted = 0;
  std::optional<presence_answer> answer;
  for (; accepted < 1'000; ++accepted) {
    presence_update update;
    update.op = presence_op::online;
    update.session = "s1";
    update.instance = "one";
    update.has_channels = true;
    for (int i = 0; i < 4'000; ++i)
      update.channels.push_back("ch_" + std::to_string(accepted) + "_"
                                + std::to_string(i));
    answer = talk->change("usr_" + std::to_string(accepted), std::move(update));
    if (!answer || answer->what == presence_answer::status::rejected)
      break;
  }
  CAF_REQUIRE(answer);
  CAF_CHECK(answer->reason == presence_reject::memory_limit);
  CAF_CHECK(node.has_logged("memory-limit-reached"));
  CAF_CHECK(node.metric("fanout_presence_refused_total") >= 1);
  auto id = talk->publish("general");
  CAF_CHECK(one->receives(id));
  auto users = node.stats().int_or("TotalUsers", -1);
  one.reset();
  talk.reset();
  node.kill_node();
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK_EQUAL(node.stats().int_or("TotalUsers", -1), users);
  CAF_CHECK_EQUAL(node.stop(), 0);
}
