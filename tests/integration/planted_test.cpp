// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.planted

#include "tests/integration/node_process.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::test;

namespace {

struct outcome {
  int code = -1;
  json::value report;

  int64_t count(const std::string& violation) const {
    auto* all = report.find("violations");
    return all ? all->int_or(violation, 0) : 0;
  }
};

struct fixture {
  bench::scratch_directory directory{"fantail-planted-test"};

  /// Runs a program with this fault in it.
  outcome run(const std::string& fault, const std::string& plan_text,
              int channels = 300) {
    auto plan = directory.path() + "/own.plan";
    auto report = directory.path() + "/report.json";
    std::ofstream{plan} << plan_text;
    // `exec`, so that nobody is left if this process ends.
    auto command = "FANTAIL_PLANTED=" + fault + " exec '" + binary()
                   + "-planted' chaos run '" + plan
                   + "' --json --duration 6s --rate 4000 --churn 40 --users 300"
                     " --instances 6 --channels "
                   + std::to_string(channels) + " > '" + report + "'";
    auto status = std::system(command.c_str());
    outcome result;
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (auto parsed = json::parse(content_of(report)))
      result.report = std::move(*parsed);
    return result;
  }

  /// The fault is found, and as what it is.
  void check_found(const std::string& fault, const std::string& violation,
                   const std::string& sections = "[bad-input]\n",
                   int channels = 300) {
    auto found = run(fault, plan_of(sections), channels);
    CAF_CHECK_EQUAL(found.code, 99);
    CAF_CHECK(found.count(violation) > 0);
  }

  static std::string plan_of(const std::string& sections) {
    return "name = planted\ninterval = 2s\nquiet = 0\n" + sections;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(planted_tests, fixture)

CAF_TEST(without_a_fault_nothing_is_found) {
  auto found = run("nothing", plan_of("[bad-input]\n"));
  CAF_CHECK_EQUAL(found.code, 0);
  CAF_CHECK_EQUAL(found.report.string_or("verdict", ""), "passed");
}

CAF_TEST(one_lost_in_10000_is_found) {
  check_found("loses-one-in-10000", "lost");
}

CAF_TEST(two_that_are_swapped_are_found) {
  check_found("swaps-two", "out of order");
}

CAF_TEST(a_route_to_a_left_session_is_found) {
  // So many that the last member of one leaves an instance now and then.
  check_found("routes-to-a-left-session", "excess", "[bad-input]\n", 5'000);
}

CAF_TEST(a_skipped_fence_is_found) {
  check_found("skips-a-fence", "stale epoch", "[node-kill]\nlasts = 0ms\n");
}

CAF_TEST(counting_twice_is_found) {
  check_found("counts-twice", "counter wrong");
}

CAF_TEST(a_missed_join_is_found) {
  // So many that whoever joins one is often the first on the instance.
  check_found("misses-a-join", "lost", "[bad-input]\n", 5'000);
}

CAF_TEST_FIXTURE_SCOPE_END()
