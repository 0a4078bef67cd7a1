// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.chaos

#include "chaos/chaos.hpp"
#include "chaos/history/history_reader.hpp"
#include "chaos/run/server_disk.hpp"
#include "tests/integration/node_process.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <map>
#include <set>

using namespace fantail;
using namespace fantail::test;

namespace {

struct fixture {
  std::atomic<bool> stop = false;
  bench::scratch_directory directory{"fantail-chaos-test"};
  std::string history = directory.path() + "/run.jsonl";

  chaos_options options(const std::string& plan) {
    chaos_options result;
    result.plan = plan;
    result.seed = test_seed();
    result.program = binary();
    result.build = "test";
    result.keep = history;
    // What every machine can do besides other tests.
    result.rate = 1'000;
    result.churn = 20;
    result.users = 200;
    result.channels = 500;
    result.instances = 6;
    result.stop = &stop;
    return result;
  }

  std::string write_plan(const std::string& text) {
    auto path = directory.path() + "/own.plan";
    std::ofstream{path} << text;
    return path;
  }

  /// How often each kind of fault was carried out.
  std::map<std::string, int> faults() {
    std::map<std::string, int> result;
    auto opened = chaos::history_reader::open(history);
    CAF_REQUIRE_EQUAL(opened.index(), 0u);
    while (auto x = std::get<0>(opened)->next())
      if (auto* fault = std::get_if<chaos::fault_marked>(&x->what))
        result[fault->kind] += fault->phase == chaos::fault_phase::off;
    return result;
  }

  /// A plan of these faults alone, each of them soon.
  void check_passes(const std::string& sections, const std::string& duration,
                    const std::string& interval = "1s") {
    auto own = options(write_plan(
        "name = own\nquiet = 0\ninterval = " + interval + "\n" + sections));
    own.duration = duration;
    CAF_CHECK_EQUAL(run_chaos(own), int{chaos_passed});
    CAF_CHECK(!faults().empty());
  }
};

/// Whether the node lets actors be killed. Where the API is described it has to
/// be there.
bool has_admin_api() {
  return std::filesystem::exists(source_dir() + "/api/openapi.json");
}

/// Whether this machine lets a run have a disk of its own. Asked on a thread
/// that ends, and takes its mounts along.
bool can_mount(const std::string& directory) {
  auto result = false;
  std::thread{[&] {
    result = chaos::server_disk::mount(directory).index() == 0;
  }}.join();
  return result;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(chaos_tests, fixture)

CAF_TEST(the_plan_nats_breaks_no_promise) {
  auto nats = options("nats");
  nats.duration = "20s";
  CAF_CHECK_EQUAL(run_chaos(nats), int{chaos_passed});
  CAF_CHECK(!faults().empty());
  CAF_CHECK_EQUAL(check_chaos(history, true), int{chaos_passed});
}

CAF_TEST(a_node_that_is_killed_breaks_no_promise) {
  check_passes("[node-kill]\nlasts = 0ms..500ms\n[bad-input]\n", "12s");
}

CAF_TEST(instances_that_die_or_stop_reading_break_no_promise) {
  check_passes("[instance-kill]\n[instance-stall]\nlasts = 200ms..2s\n", "12s");
}

CAF_TEST(a_full_disk_breaks_no_promise) {
  if (!can_mount(directory.path())) {
    CAF_MESSAGE("nobody here may mount a file system");
    return;
  }
  check_passes("[disk-full]\nlasts = 200ms..2s\n", "20s", "8s");
  CAF_CHECK(faults()["disk-full"] > 0);
}

CAF_TEST(the_plan_actors_breaks_no_promise_or_says_that_it_takes_an_admin_api) {
  auto actors = options("actors");
  actors.duration = "10s";
  CAF_CHECK_EQUAL(run_chaos(actors),
                  has_admin_api() ? chaos_passed : chaos_not_done);
  CAF_CHECK_EQUAL(faults().empty(), !has_admin_api());
}

CAF_TEST(supervisors_that_are_killed_or_give_up_break_no_promise) {
  if (!has_admin_api())
    return;
  // The root bears three of them.
  check_passes("[subtree-kill]\n[intensity-exhaust]\ntarget = routing\n"
               "expects = routing\n",
               "20s", "6s");
}

CAF_TEST(a_run_that_is_stopped_has_not_passed) {
  auto nats = options("nats");
  nats.duration = "10min";
  std::thread stopper{[this] {
    // Once there is load, and so something to conclude from.
    eventually([this] {
      return content_of(history).find("\"k\":\"stored\"") != std::string::npos;
    });
    stop = true;
  }};
  CAF_CHECK_EQUAL(run_chaos(nats), int{chaos_invalid});
  stopper.join();
}

CAF_TEST(what_cannot_be_run_says_so) {
  auto none = options("earthquake");
  CAF_CHECK_EQUAL(run_chaos(none), int{chaos_bad_plan});
  none.plan = write_plan("name = x\n[node-kil]\n");
  CAF_CHECK_EQUAL(run_chaos(none), int{chaos_bad_plan});
  none.plan = "nats";
  for (auto duration : {"1", "soon", "2s"}) {
    none.duration = duration;
    CAF_CHECK_EQUAL(run_chaos(none), int{chaos_bad_plan});
    CAF_CHECK_EQUAL(show_chaos_schedule(none), int{chaos_bad_plan});
  }
  CAF_CHECK_EQUAL(check_chaos(directory.path() + "/nothing", false),
                  int{chaos_not_done});
}

CAF_TEST_FIXTURE_SCOPE_END()
