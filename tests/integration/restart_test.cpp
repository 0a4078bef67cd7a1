// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.restart

#include "runtime/boot/embedded_server.hpp"
#include "tests/integration/crash_run.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::test;

namespace {

uint64_t kills() {
  auto* text = std::getenv("FANTAIL_KILLS");
  return text ? std::stoull(text) : 6;
}

/// A server that outlives the nodes, for tests of them alone.
struct lasting_server {
  lasting_server() {
    embedded_server_config config;
    config.state_directory = directory.path();
    auto started = embedded_server::start(config);
    if (auto* server = std::get_if<std::unique_ptr<embedded_server>>(&started))
      running = std::move(*server);
  }

  bench::scratch_directory directory{"fantail-test"};
  std::unique_ptr<embedded_server> running;
};

} // namespace

namespace {

/// Snapshots after every few changes, so that kills hit them at all stages.
node_process::settings eager(node_process::settings more = {}) {
  more.insert(more.end(), {"presence.snapshot-records=5",
                           "presence.snapshot-interval=200ms",
                           "nats.stream-bytes-max=64MiB"});
  return more;
}

} // namespace

CAF_TEST(no acknowledged event is lost when node and server are killed) {
  lasting_server server;
  CAF_REQUIRE(server.running);
  node_process node{eager({"nats.url=" + server.running->url()})};
  CAF_REQUIRE(node.start_and_wait());
  crash_run run{node, server.running->url(), test_seed()};
  run.work(500ms);
  for (uint64_t i = 0; i < kills(); ++i) {
    run.work_for_a_moment();
    auto life = run.talk->via.life();
    auto with_server = run.model.pick(2) == 0;
    if (with_server && run.model.pick(2) == 0)
      signal_one(server.running->pid(), SIGKILL);
    node.kill_node();
    if (with_server && run.talk->via.life() == life)
      signal_one(server.running->pid(), SIGKILL);
    run.work_for_a_moment();
    // What is sent to a plain instance that is not connected is lost, and
    // nobody promised otherwise: so it returns before the node does.
    CAF_REQUIRE(eventually([&] { return run.talk->via.is_up(); }));
    CAF_REQUIRE(node.start_and_wait());
  }
  run.work(500ms);
  CAF_CHECK(run.all_delivered(true));
  run.check_deliveries();
  run.check_table();
  node.kill_node();
  CAF_REQUIRE(node.start_and_wait());
  run.check_table();
}

CAF_TEST(a node comes back with its own server and everything in it) {
  node_process node{eager()};
  CAF_REQUIRE(node.start_and_wait());
  auto url = node.nats_url();
  crash_run run{node, url, test_seed()};
  run.work(500ms);
  for (uint64_t i = 0; i < kills(); ++i) {
    run.work_for_a_moment();
    if (run.model.pick(2) == 0)
      node.kill_server();
    if (run.model.pick(2) == 0)
      run.work_for_a_moment();
    if (run.model.pick(3) == 0)
      continue;
    node.kill_node();
    CAF_REQUIRE(node.start_and_wait());
    CAF_REQUIRE_EQUAL(node.nats_url(), url);
  }
  run.work(500ms);
  CAF_CHECK(run.all_delivered(false));
  run.check_deliveries();
  run.check_table();
  CAF_CHECK_EQUAL(node.stop(), 0);
  CAF_REQUIRE(node.start_and_wait());
  run.check_table();
}

CAF_TEST(a session expires although its record was trimmed) {
  node_process node{eager({"presence.ttl=3s", "presence.heartbeat-interval=1s",
                           "presence.snapshot-records=1"})};
  CAF_REQUIRE(node.start_and_wait());
  clients talk{node.nats_url()};
  talk.presence.online("old", "s", "inst-0", nullptr);
  // Two rounds of snapshots, so that the log begins behind that record.
  int users = 0;
  CAF_CHECK(eventually([&] {
    auto user = "other-" + std::to_string(++users);
    talk.presence.set(user, list_of({"c"}), nullptr);
    return node.metric("fanout_snapshots_total{result=\"written\"}") >= 32;
  }));
  CAF_CHECK(
      eventually([&] { return node.stats().int_or("Sessions", 1) == 0; }));
  CAF_CHECK_EQUAL(node.stats().int_or("ZombieUsers", 1), 0);
}
