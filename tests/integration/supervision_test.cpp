// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.supervision

#include "tests/integration/crash_run.hpp"
#include "tests/integration/operator.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;
using namespace fantail::test;

namespace {

/// Kills what it likes of a node, over its admin API.
class killer {
public:
  killer(const node_process& node, uint64_t seed)
      : boss_(node), random_(seed) {}

  /// The status of the answer; 0 if there is no node any more.
  int kill(std::string id, const std::string& mode) {
    if (auto at = id.find('/'); at != id.npos)
      id.replace(at, 1, "%2F");
    return boss_.post("/api/v1/actors/" + id + "/kill?for_ms=300&mode=" + mode)
        .status;
  }

  /// Anybody but supervisors, of which the root puts up with a few. False if
  /// that one is away just now.
  bool kill_any() {
    auto answer = boss_.ask("/api/v1/actors?limit=1000");
    auto* list = at(answer, "actors").if_array();
    CAF_REQUIRE(list != nullptr && list->size() > 20);
    constexpr const char* modes[] = {"exception", "exit", "kill", "hang"};
    auto& x = (*list)[random_() % list->size()];
    return x.string_or("type", "") != "supervisor"
           && kill(x.string_or("id", ""), modes[random_() % 4]) == 200;
  }

private:
  node_operator boss_;
  std::mt19937_64 random_;
};

/// Nobody got anything twice.
void check_no_repeats(const crash_run& run) {
  for (auto& x : run.receivers) {
    auto ids = x.ids();
    std::set<std::string> different{ids.begin(), ids.end()};
    CAF_CHECK_EQUAL(different.size(), ids.size());
  }
}

} // namespace

CAF_TEST(nobody notices that actors are killed) {
  node_process node;
  CAF_REQUIRE(node.start_and_wait());
  crash_run run{node, node.nats_url(), test_seed()};
  killer somebody{node, test_seed()};
  run.work(300ms);
  int killed = 0;
  for (int i = 0; i < 60; ++i) {
    killed += somebody.kill_any();
    run.work(std::chrono::milliseconds{run.model.pick(150)});
  }
  CAF_CHECK(killed > 30);
  run.work(300ms);
  CAF_CHECK(run.all_delivered(true));
  run.check_deliveries();
  check_no_repeats(run);
  run.check_table();
  CAF_CHECK_EQUAL(node.stop(), 0);
}

CAF_TEST(a subtree that is lost as a whole comes back as it was) {
  node_process node;
  CAF_REQUIRE(node.start_and_wait());
  crash_run run{node, node.nats_url(), test_seed()};
  killer somebody{node, test_seed()};
  run.work(300ms);
  // Three in 30 s are what the root puts up with.
  for (auto* branch : {"routing", "presence", "delivery"}) {
    CAF_CHECK_EQUAL(somebody.kill(branch, "kill"), 200);
    run.work(200ms);
  }
  CAF_CHECK(run.all_delivered(true));
  run.check_deliveries();
  check_no_repeats(run);
  run.check_table();
  CAF_CHECK_EQUAL(node.stop(), 0);
}

CAF_TEST(a child that fails too often ends the process with its cause) {
  node_process node;
  CAF_REQUIRE(node.start_and_wait());
  killer somebody{node, test_seed()};
  CAF_CHECK(eventually(
      [&] { return somebody.kill("routing/shard-0", "exception") == 0; }));
  CAF_CHECK_EQUAL(node.wait_end(), 1);
  CAF_CHECK(node.has_logged("supervisor-gave-up"));
  CAF_CHECK(node.has_logged("failed on purpose"));
}
