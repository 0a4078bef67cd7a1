// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.configuration

#include "tests/integration/node_process.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::test;

namespace {

constexpr int exit_configuration = 3;
constexpr int exit_unreachable = 4;

bool says(const node_process& node, const std::string& text) {
  auto result = node.log().find(text) != std::string::npos;
  if (!result)
    CAF_MESSAGE("not in: " << node.log());
  return result;
}

} // namespace

CAF_TEST(a refused setting ends the start and every culprit is named) {
  node_process node{{"presence.ttl=banana", "no.such-key=1",
                     "cluster.shards=65", "nats.retention=10",
                     "log.level=loud"}};
  node.start();
  CAF_CHECK_EQUAL(node.wait_end(), exit_configuration);
  for (auto* key : {"presence.ttl", "no.such-key", "cluster.shards",
                    "nats.retention", "log.level"})
    CAF_CHECK(says(node, key));
}

CAF_TEST(settings that contradict each other are refused) {
  node_process node{{"presence.ttl=3s", "presence.heartbeat-interval=2s"}};
  node.start();
  CAF_CHECK_EQUAL(node.wait_end(), exit_configuration);
  CAF_CHECK(says(node, "presence.heartbeat-interval"));
}

CAF_TEST(a missing server program is named) {
  node_process node{{"nats.server=no-such-server"}};
  node.start();
  CAF_CHECK_EQUAL(node.wait_end(), exit_unreachable);
  CAF_CHECK(says(node, "no-such-server"));
}

CAF_TEST(a server that does not answer is named) {
  auto url = "nats://127.0.0.1:" + std::to_string(bench::free_port());
  node_process node{{"nats.url=" + url}};
  node.start();
  CAF_CHECK_EQUAL(node.wait_end(), exit_unreachable);
  CAF_CHECK(says(node, url));
}

CAF_TEST(a state directory belongs to one node) {
  node_process first;
  CAF_REQUIRE(first.start_and_wait());
  node_process second{{"node.state-directory=" + first.state_directory()}};
  second.start();
  CAF_CHECK(second.wait_end() > 0);
  CAF_CHECK(says(second, first.state_directory()));
  CAF_CHECK(first.get("/ready")->status == 200);
  CAF_CHECK_EQUAL(first.stop(), 0);
}

CAF_TEST(the number of shards is fixed when a cluster is made) {
  node_process first;
  CAF_REQUIRE(first.start_and_wait());
  CAF_CHECK_EQUAL(first.stop(), 0);
  node_process second{
      {"node.state-directory=" + first.state_directory(), "cluster.shards=16"}};
  second.start();
  CAF_CHECK_EQUAL(second.wait_end(), exit_configuration);
  CAF_CHECK(says(second, "cluster.shards"));
}
