// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.chaos

#include "chaos/chaos.hpp"
#include "chaos/history/history_reader.hpp"
#include "tests/integration/node_process.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <map>

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
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(chaos_tests, fixture)

CAF_TEST(the_plan_nats_breaks_no_promise) {
  auto nats = options("nats");
  nats.duration = "20s";
  CAF_CHECK_EQUAL(run_chaos(nats), int{chaos_passed});
  CAF_CHECK(!faults().empty());
  CAF_CHECK_EQUAL(check_chaos(history, true), int{chaos_passed});
}

CAF_TEST(a_node_that_is_killed_and_instances_that_die_break_no_promise) {
  auto own = options(write_plan("name = own\ninterval = 1s\nquiet = 0\n"
                                "[node-kill]\n[instance-kill]\n"
                                "[instance-stall]\n[bad-input]\n"));
  own.duration = "12s";
  CAF_CHECK_EQUAL(run_chaos(own), int{chaos_passed});
  CAF_CHECK(!faults().empty());
}

CAF_TEST(what_cannot_be_run_says_so) {
  auto none = options("earthquake");
  CAF_CHECK_EQUAL(run_chaos(none), int{chaos_bad_plan});
  none.plan = write_plan("name = x\n[node-kil]\n");
  CAF_CHECK_EQUAL(run_chaos(none), int{chaos_bad_plan});
  CAF_CHECK_EQUAL(check_chaos(directory.path() + "/nothing", false),
                  int{chaos_not_done});
}

CAF_TEST_FIXTURE_SCOPE_END()
