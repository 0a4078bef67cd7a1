// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.restart

#include "runtime/boot/embedded_server.hpp"
#include "tests/integration/crash_model.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <deque>

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

/// A node, four instances and a random workload, with somebody who kills.
class crash_run {
public:
  crash_run(node_process& node, const std::string& url, uint64_t seed)
      : node_(node), talk(std::in_place, url), model(*talk, seed) {
    for (size_t i = 0; i < crash_model::instances; ++i)
      receivers.emplace_back(*talk, crash_model::instance_name(i),
                             crash_model::is_frame(i)
                                 ? delivery_format::frame
                                 : delivery_format::single);
    for (auto& x : receivers)
      CAF_REQUIRE(x.is_registered());
  }

  /// Handlers that are still waited for refer to the model.
  ~crash_run() {
    receivers.clear();
    talk.reset();
  }

  void work(duration time) {
    for (auto until = std::chrono::steady_clock::now() + time;
         std::chrono::steady_clock::now() < until;
         std::this_thread::sleep_for(500us))
      model.step();
  }

  /// Often shorter than the second between two checkpoints, but not always.
  void work_for_a_moment() {
    work(std::chrono::milliseconds{20 + model.pick(6) * model.pick(6) * 50});
  }

  bool all_delivered(bool with_single) {
    if (!eventually([this] { return model.is_quiet(); }))
      return false;
    auto events = model.events();
    return eventually([&] {
      for (size_t i = 0; i < receivers.size(); ++i)
        if ((with_single || crash_model::is_frame(i)) && missing(events, i) > 0)
          return false;
      return true;
    });
  }

  size_t missing(const std::map<std::string, crash_model::sent_event>& events,
                 size_t instance) {
    auto ids = receivers[instance].ids();
    std::set<std::string> received{ids.begin(), ids.end()};
    return static_cast<size_t>(
        std::count_if(events.begin(), events.end(), [&](auto& x) {
          return x.second.wanted_by.contains(instance)
                 && !received.contains(x.first);
        }));
  }

  /// Order, repeats and excess; what is missing is checked before. Order is
  /// that of the events an instance had a claim to: after a restart a table
  /// may hold too much, and what was published before a join comes late.
  void check_deliveries() {
    auto events = model.events();
    for (size_t i = 0; i < receivers.size(); ++i) {
      std::set<std::string> seen;
      std::map<std::string, position> last;
      size_t repeats = 0, disorder = 0, excess = 0;
      for (auto& x : receivers[i].all()) {
        auto known = events.find(x.id);
        CAF_REQUIRE(known != events.end());
        auto& event = known->second;
        excess += !model.may_receive(i, event.channel);
        if (!seen.insert(x.id).second) {
          ++repeats;
          continue;
        }
        if (!event.wanted_by.contains(i))
          continue;
        disorder += *event.stored_at <= last[event.channel];
        last[event.channel] = *event.stored_at;
      }
      CAF_MESSAGE(receivers[i].name() << ": " << seen.size() << " events, "
                                      << repeats << " repeats");
      CAF_CHECK_EQUAL(disorder, 0u);
      CAF_CHECK_EQUAL(excess, 0u);
      CAF_CHECK_EQUAL(receivers[i].losses(), 0u);
      if (crash_model::is_frame(i))
        CAF_CHECK_EQUAL(repeats, 0u);
    }
  }

  void check_table() {
    auto stats = node_.stats();
    CAF_CHECK_EQUAL(stats.int_or("TotalUsers", -1),
                    static_cast<int64_t>(model.users_online()));
    CAF_CHECK_EQUAL(stats.int_or("Sessions", -1),
                    static_cast<int64_t>(model.sessions()));
    CAF_CHECK(model.has_digest(stats.string_or("Digest", "")));
  }

private:
  node_process& node_;

public:
  std::optional<clients> talk;
  crash_model model;
  std::deque<receiver> receivers;
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
  // Who is offline is evicted at once, and every list is written.
  node_process node{
      eager({"nats.url=" + server.running->url(),
             "presence.cache-memberships=0", "presence.dirty-bytes=1KiB"})};
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
