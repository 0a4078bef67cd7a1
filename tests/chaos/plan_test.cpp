// SPDX-License-Identifier: MIT
#define CAF_SUITE chaos.plan

#include "chaos/plan/plan.hpp"
#include "chaos/plan/schedule.hpp"
#include "tests/paths.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <fstream>
#include <set>
#include <sstream>

using namespace fantail;
using namespace fantail::chaos;
using namespace std::chrono_literals;

namespace {

plan parsed(std::string_view text) {
  auto result = parse_plan(text, "x.plan");
  if (auto* why = std::get_if<std::string>(&result))
    CAF_FAIL(*why);
  return std::get<plan>(result);
}

std::string problem_of(std::string_view text) {
  auto result = parse_plan(text, "x.plan");
  auto* why = std::get_if<std::string>(&result);
  return why ? *why : "";
}

constexpr std::string_view two_faults = R"(
name = two
interval = 2s  # on average
warm-up = 1s
quiet = 0.5
phase = 10s

[server-pause]
weight = 3
lasts = 100ms..1s

# and another one
[actor-exit]
target = routing/*
expects = routing, node
)";

} // namespace

CAF_TEST(a_plan_is_what_it_says) {
  auto x = parsed(two_faults);
  CAF_CHECK_EQUAL(x.name, "two");
  CAF_CHECK(x.interval == 2s && x.warm_up == 1s && x.phase == 10s);
  CAF_CHECK_EQUAL(x.quiet, 0.5);
  CAF_REQUIRE_EQUAL(x.faults.size(), 2u);
  CAF_CHECK((x.faults[0]
             == plan_fault{fault_kind::server_pause, 3, "*", 100ms, 1s, {}}));
  CAF_CHECK((x.faults[1]
             == plan_fault{fault_kind::actor_exit,
                           1,
                           "routing/*",
                           500ms,
                           500ms,
                           {"routing", "node"}}));
  CAF_CHECK(x.needs_admin_api());
}

CAF_TEST(errors_name_file_line_and_key) {
  CAF_CHECK_EQUAL(problem_of("name = x\nintervall = 2s\n"),
                  "x.plan:2: `intervall` is unknown; keys of a plan are name, "
                  "interval, warm-up, phase, quiet");
  CAF_CHECK_EQUAL(problem_of("name = x\n\n[node-kill]\nlasts = 5\n"),
                  "x.plan:4: `lasts` is a time or a range such as 300ms..2s, "
                  "at most 30s");
  CAF_CHECK(problem_of("name = x\n[node-kil]\n")
                .starts_with("x.plan:2: [node-kil] is no fault; faults are "));
  for (auto [line, key] : {std::pair{"interval = 1", "interval"},
                           {"interval = 0ms", "interval"},
                           {"quiet = 2", "quiet"},
                           {"quiet = x", "quiet"},
                           {"phase =", "phase"},
                           {"name = y", "name"}}) {
    auto problem = problem_of("name = x\n" + std::string{line} + "\n");
    CAF_CHECK(problem.starts_with("x.plan:2: `" + std::string{key} + "` "));
  }
  for (auto [line, key] : {std::pair{"weight = 0", "weight"},
                           {"weight = 1.5", "weight"},
                           {"lasts = 2s..1s", "lasts"},
                           {"lasts = 31s", "lasts"},
                           {"target = *", "target"},
                           {"interval = 3s", "interval"}}) {
    auto problem = problem_of("name = x\n[node-kill]\n" + std::string{line});
    CAF_CHECK(problem.starts_with("x.plan:3: `" + std::string{key} + "` "));
  }
  CAF_CHECK(problem_of("name = x\n[server-kill]\nlasts = 1s")
                .starts_with("x.plan:3: `lasts` is for faults that last: "));
  CAF_CHECK_EQUAL(problem_of("[node-kill]\n"), "x.plan:1: `name` is missing");
  CAF_CHECK_EQUAL(problem_of("name = x\n"), "x.plan:1: the plan has no fault");
  CAF_CHECK(problem_of("what?").starts_with("x.plan:1: this is neither"));
}

CAF_TEST(all_words_are_known) {
  for (size_t i = 0; i < fault_kinds; ++i) {
    auto kind = static_cast<fault_kind>(i);
    CAF_CHECK(fault_kind_of(to_string(kind)) == kind);
  }
  CAF_CHECK(!fault_kind_of("earthquake"));
}

CAF_TEST(the_shipped_plans_are_valid) {
  for (std::string name : {"actors", "supervisors", "nats", "everything"}) {
    std::ifstream file{test::source_dir() + "/chaos/plans/" + name + ".plan"};
    std::stringstream text;
    text << file.rdbuf();
    CAF_CHECK_EQUAL(parsed(text.str()).name, name);
  }
}

CAF_TEST(the_schedule_follows_from_plan_seed_and_length) {
  auto x = parsed(two_faults);
  auto seed = test_seed();
  CAF_CHECK(make_schedule(x, seed, 5min) == make_schedule(x, seed, 5min));
  CAF_CHECK(make_schedule(x, seed, 5min) != make_schedule(x, seed + 1, 5min));
  // The same on every machine and with every library.
  auto first = make_schedule(x, 1, 1min).at(0);
  CAF_CHECK_EQUAL(first.pick, 16811588669333006409u);
  CAF_CHECK(first.at == 1s);
}

CAF_TEST(a_schedule_keeps_to_its_plan) {
  auto x = parsed(two_faults);
  auto schedule = make_schedule(x, test_seed(), 30min);
  std::set<size_t> used;
  auto free_at = x.warm_up;
  for (auto& fault : schedule) {
    auto& kind = x.faults[fault.fault];
    CAF_REQUIRE(fault.at >= free_at);
    CAF_REQUIRE(fault.lasts >= kind.shortest && fault.lasts <= kind.longest);
    CAF_REQUIRE(fault.at < 30min - x.interval);
    free_at = fault.at + fault.lasts + x.interval / 2;
    used.insert(fault.fault);
  }
  CAF_CHECK_EQUAL(used.size(), 2u);
  CAF_CHECK(schedule.size() > 100 && schedule.size() < 900);
  CAF_CHECK(make_schedule(x, 1, 1s).empty());
}

CAF_TEST(a_star_stands_for_anything) {
  CAF_CHECK(matches("*", ""));
  CAF_CHECK(matches("routing/*", "routing/shard-3"));
  CAF_CHECK(matches("*/puller-1", "presence/puller-1"));
  CAF_CHECK(!matches("routing/*", "routing"));
  CAF_CHECK(!matches("", "x"));
  CAF_CHECK(matches("a*b*c", "a-b-b-c"));
}
