// SPDX-License-Identifier: MIT
#define CAF_SUITE console.views

#include "console/diagnosis/incidents.hpp"
#include "console/fields.hpp"
#include "console/text.hpp"
#include "console/views/views.hpp"
#include "tests/console/answers.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>

using namespace fantail;
using namespace fantail::console;

namespace {

constexpr int64_t taken = 1763726400123456789;

look at(size_t width = 0, bool has_numbers = false) {
  look how;
  how.width = width;
  how.has_numbers = has_numbers;
  how.now_unix_ns = taken;
  return how;
}

std::string joined(const page& x) {
  std::string result;
  for (auto& line : x.lines)
    result += line + "\n";
  return result;
}

bool has(const page& x, std::string_view part) {
  if (joined(x).find(part) != std::string::npos)
    return true;
  CAF_MESSAGE("\"" << std::string{part} << "\" is missing in\n" << joined(x));
  return false;
}

size_t widest(const page& x) {
  size_t result = 0;
  for (auto& line : x.lines)
    result = std::max(result, width_of(line));
  return result;
}

using view = page (*)(const json::value&, const look&);
constexpr std::pair<const char*, view> views[]
    = {{"/api/v1/node", show_status},
       {"/api/v1/tree", show_tree},
       {"/api/v1/actors", show_actors},
       {"/api/v1/actors/{id}", show_actor},
       {"/api/v1/shards", show_shards},
       {"/api/v1/instances", show_instances},
       {"/api/v1/channels", show_channels},
       {"/api/v1/channels/{name}/route", show_route},
       {"/api/v1/users/{name}", show_user},
       {"/api/v1/deadletters", show_dead_letters}};

json::value event(int64_t at_ms, const char* kind, const char* actor,
                  json::object fields = {}) {
  return json::object{{"id", at_ms},
                      {"at_unix_ns", taken + at_ms * 1'000'000},
                      {"kind", kind},
                      {"severity", "info"},
                      {"actor", actor},
                      {"detail", "what happened"},
                      {"fields", std::move(fields)}};
}

} // namespace

CAF_TEST(every_view_fits_a_terminal_and_is_plain_in_a_pipe) {
  for (auto& [path, show] : views) {
    auto x = test::answer(path);
    for (size_t width : {80, 100, 132}) {
      CAF_MESSAGE(path << " in " << width);
      auto shown = show(x, at(width, true));
      CAF_CHECK(widest(shown) <= width);
      if (widest(shown) > width)
        CAF_MESSAGE(joined(shown));
    }
    CAF_CHECK(joined(show(x, at())).find('\033') == std::string::npos);
  }
}

CAF_TEST(an_answer_that_lacks_everything_is_shown) {
  for (auto& [path, show] : views)
    for (auto& x : {json::value{}, json::value{json::object{}}}) {
      CAF_MESSAGE(path);
      show(x, at(80));
    }
}

CAF_TEST(status_tells_health_rates_lag_and_latency) {
  auto x = show_status(test::answer("/api/v1/node"), at());
  CAF_CHECK(has(x, "n1  ok  ready  up 1m 1s"));
  CAF_CHECK(has(x, "19,980/s events  91,001/s deliveries"));
  CAF_CHECK(has(x, "lag     22 events"));
  CAF_CHECK(has(x, "393 MiB of 4 GiB (9.6 %)"));
  CAF_CHECK(has(x, "44 actors  2 busy"));
  CAF_CHECK(has(x, "restarts 1  stuck 0"));
  CAF_CHECK(has(x, "read to NATS"));
}

CAF_TEST(the_tree_tells_restarts_and_causes) {
  auto x = show_tree(test::answer("/api/v1/tree"), at(0, true));
  CAF_CHECK(has(x, "   └─ shard-3"));
  CAF_CHECK(has(x, "1 of 20 in 10 s"));
  CAF_CHECK(has(x, "1m 1s ago: runtime_error(\"failed on purpose\")"));
  CAF_CHECK_EQUAL(x.targets.back(), "actor routing/shard-3");
}

CAF_TEST(actors_open_by_number) {
  auto x = show_actors(test::answer("/api/v1/actors"), at(0, true));
  CAF_REQUIRE_EQUAL(x.targets.size(), 2u);
  CAF_CHECK_EQUAL(x.targets[0], "actor routing/shard-3");
  CAF_CHECK(has(x, "1 routing/shard-3  busy"));
  CAF_CHECK(has(x, "pulled for 120 µs"));
}

CAF_TEST(actors_by_restarts_tell_why_and_how_long) {
  auto answer = test::answer("/api/v1/actors");
  test::set(answer, {"sorted_by"}, "restarts");
  auto x = show_actors(answer, at());
  CAF_CHECK(has(x, "BACK AFTER"));
  CAF_CHECK(has(x, "1m 1s ago      400 µs  runtime_error"));
}

CAF_TEST(an_actor_tells_its_state_and_its_history) {
  auto x = show_actor(test::answer("/api/v1/actors/{id}"), at());
  CAF_CHECK(has(x, "back after 400 µs"));
  CAF_CHECK(has(x, "settled sequence  901,101"));
  CAF_CHECK(has(x, "bytes             46 MiB"));
  CAF_CHECK(has(x, "pulled     120,411"));
  CAF_CHECK(has(x, "killed        9 s  exception"));
  auto stuck = test::answer("/api/v1/actors/{id}");
  test::set(stuck, {"internals"}, nullptr);
  test::set(stuck, {"internals_missing"}, "it is stuck");
  CAF_CHECK(has(show_actor(stuck, at()), "its state: it is stuck"));
}

CAF_TEST(shards_instances_channels) {
  auto shards = show_shards(test::answer("/api/v1/shards"), at(0, true));
  CAF_CHECK_EQUAL(shards.targets[0], "actor routing/shard-3");
  CAF_CHECK_EQUAL(shards.targets[1], "actor presence/presence-3");
  auto instances = test::answer("/api/v1/instances");
  CAF_CHECK(has(show_instances(instances, at()), "notif-001  live   frame"));
  auto one = show_instance(instances, "notif-001", at(0, true));
  CAF_CHECK(has(one, "3 critical  0 important  1 best effort"));
  CAF_CHECK_EQUAL(one.targets.size(), 2u);
  CAF_CHECK(show_instance(instances, "notif-002", at()).lines.empty());
  auto channels = show_channels(test::answer("/api/v1/channels"), at(0, true));
  CAF_CHECK(has(channels, "general      3   51,200        100   211/s  "
                          "21,050/s   23 %"));
  CAF_CHECK_EQUAL(channels.targets[0], "route explain general");
}

CAF_TEST(routes_users_dead_letters) {
  auto route = show_route(test::answer("/api/v1/channels/{name}/route"), at());
  CAF_CHECK(has(route, "An event goes to 2 instances"));
  CAF_CHECK(has(route, "notif-002      2  live   single"));
  auto user = show_user(test::answer("/api/v1/users/{name}"), at());
  CAF_CHECK(has(user, "online"));
  CAF_CHECK(has(user, "shards 0, 3, 5"));
  auto letters = test::answer("/api/v1/deadletters");
  CAF_CHECK(has(show_dead_letters(letters, at()), "{\"type\":"));
  test::set(letters, {"total"}, 0);
  CAF_CHECK(has(show_dead_letters(letters, at()), "No dead letters"));
}

CAF_TEST(changes_say_what_was_done) {
  auto killed
      = show_action(test::answer("/api/v1/actors/{id}/kill", "post"), at());
  CAF_CHECK(has(killed, "kill routing/shard-3 by exception: done"));
  auto trial
      = show_action(test::answer("/api/v1/actors/{id}/suspend", "post"), at());
  CAF_CHECK(has(trial, "dry run, nothing was changed"));
}

CAF_TEST(what_strangers_wrote_cannot_reach_the_terminal) {
  auto letters = test::answer("/api/v1/deadletters");
  test::set(letters, {"letters", "0", "sample"}, "\033]0;owned\007\n");
  auto x = show_dead_letters(letters, at(200));
  CAF_CHECK(joined(x).find('\033') == std::string::npos);
  CAF_CHECK(has(x, "\\x1b]0;owned\\x07\\n"));
  auto channels = test::answer("/api/v1/channels");
  test::set(channels, {"channels", "0", "name"}, "a\033[2Jb");
  CAF_CHECK(joined(show_channels(channels, at())).find('\033')
            == std::string::npos);
}

CAF_TEST(events_are_lines) {
  auto line = show_event(
      event(5, "child-failed", "routing/shard-3", {{"cause", "bad luck"}}),
      at());
  CAF_CHECK_EQUAL(line, "12:00:00.128  child-failed        what happened  "
                        "bad luck");
  // As the node words it.
  auto told = event(5, "child-failed", "routing/shard-3",
                    {{"component", "supervisor"},
                     {"event", "child-failed"},
                     {"child", "shard-3"},
                     {"cause", "system_error(runtime_error, (\"bad luck\"))"}});
  test::set(told, {"detail"}, "supervisor child-failed child=shard-3");
  CAF_CHECK_EQUAL(
      show_event(told, at()),
      "12:00:00.128  child-failed        routing/shard-3  bad luck");
  CAF_CHECK(width_of(show_event(event(5, "report", "x"), at(40))) <= 40);
  auto hop = show_hop(json::object{{"hop", "routed"},
                                   {"at_unix_ns", taken},
                                   {"since_pulled_ns", 210'000},
                                   {"actor", "routing/shard-3"},
                                   {"channel", "general"},
                                   {"sequence", 7},
                                   {"detail", "to 2 instances"}},
                      at());
  CAF_CHECK_EQUAL(hop, "12:00:00.123    +210 µs  routed     routing/shard-3  "
                       "     general #7  to 2 instances");
}

CAF_TEST(incidents_put_together_what_belongs_together) {
  auto found = incidents_of(
      {event(0, "actor-killed", "routing/shard-3", {{"mode", "exit"}}),
       event(1, "child-failed", "routing/shard-3", {{"cause", "told to"}}),
       event(2, "child-failed", "edge/desk", {{"cause", "bad luck"}}),
       event(4, "child-restarted", "routing/shard-3"),
       event(5, "actor-stuck", "presence/presence-0",
             {{"message", "tick"}, {"for_ns", "2000000"}}),
       event(9, "actor-unstuck", "presence/presence-0"),
       event(9, "actor-failed", "routing/shard-3"),
       event(10, "child-failed", "routing/shard-3", {{"cause", "again"}}),
       event(12, "report", "x")});
  CAF_REQUIRE_EQUAL(found.size(), 4u);
  CAF_CHECK_EQUAL(found[0].killed_by, "exit");
  CAF_CHECK_EQUAL(found[0].why, "told to");
  CAF_CHECK_EQUAL(found[0].ended_unix_ns - found[0].began_unix_ns, 3'000'000);
  CAF_CHECK_EQUAL(found[1].actor, "edge/desk");
  CAF_CHECK_EQUAL(found[1].ended_unix_ns, -1);
  CAF_CHECK_EQUAL(found[2].what, "hung");
  CAF_CHECK_EQUAL(found[2].why, "handles tick");
  CAF_CHECK_EQUAL(found[2].ended_unix_ns - found[2].began_unix_ns, 6'000'000);
  CAF_CHECK_EQUAL(found[3].killed_by, "");
  CAF_CHECK_EQUAL(found[3].began_unix_ns, taken + 9'000'000);
  auto x = show_incidents(found, at());
  CAF_CHECK(has(x, "routing/shard-3      failed        3 ms  operator: exit"));
  CAF_CHECK(has(x, "not yet"));
  CAF_CHECK(has(x, "4 incidents; back after 3 ms (median), at most 3 ms"));
  CAF_CHECK(has(show_incidents({}, at()), "No actor failed or hung"));
}

CAF_TEST(a_kill_may_be_told_of_after_its_effect) {
  auto found = incidents_of(
      {event(0, "child-failed", "x", {{"cause", "told to"}}),
       event(1, "child-restarted", "x"),
       event(2, "actor-killed", "x", {{"mode", "exit"}}),
       event(5000, "child-failed", "x", {{"cause", "bad luck"}})});
  CAF_REQUIRE_EQUAL(found.size(), 2u);
  CAF_CHECK_EQUAL(found[0].killed_by, "exit");
  CAF_CHECK_EQUAL(found[1].killed_by, "");
}

CAF_TEST(who_is_told_to_end_does_not_fail) {
  auto found = incidents_of({event(0, "actor-killed", "x", {{"mode", "exit"}}),
                             event(3, "child-restarted", "x"),
                             event(4, "child-restarted", "y")});
  CAF_REQUIRE_EQUAL(found.size(), 1u);
  CAF_CHECK_EQUAL(found[0].what, "ended");
  CAF_CHECK_EQUAL(found[0].killed_by, "exit");
  CAF_CHECK_EQUAL(found[0].ended_unix_ns - found[0].began_unix_ns, 3'000'000);
}

CAF_TEST(causes_are_told_without_what_is_around_them) {
  CAF_CHECK_EQUAL(plain_cause("system_error(runtime_error, (\"disk full\"))"),
                  "disk full");
  CAF_CHECK_EQUAL(plain_cause("exit_reason(user_shutdown)"), "user shutdown");
  CAF_CHECK_EQUAL(plain_cause("system_error(x)"), "system_error(x)");
  CAF_CHECK_EQUAL(plain_cause(""), "");
}

CAF_TEST(times_have_a_date_when_they_are_old) {
  CAF_CHECK_EQUAL(show_time(taken, at()), "12:00:00.123");
  CAF_CHECK_EQUAL(show_time(taken - 90'000'000'000'000, at()),
                  "2025-11-20 11:00:00.123");
  CAF_CHECK_EQUAL(show_time(-1, at()), "-");
}
