// SPDX-License-Identifier: MIT
#define CAF_SUITE api.admin_api

#include "tests/api/watched_node.hpp"

#include "caf/test/unit_test.hpp"

#include <filesystem>
#include <sstream>

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

struct fixture : watched_node {
  actor_record& shard = record("routing/shard-0");

  std::vector<json::value> audit_lines() {
    std::ifstream file{audit.path()};
    std::vector<json::value> result;
    for (std::string line; std::getline(file, line);)
      result.push_back(json::parse(line).value());
    return result;
  }

  std::string ids(const std::string& target) {
    std::string result;
    auto body = get(target);
    if (auto* list = body.find("actors"); list && list->if_array())
      for (auto& x : *list->if_array())
        result += (result.empty() ? "" : " ") + x.string_or("id", "?");
    return result;
  }
};

const json::value& at(const json::value& x, std::string_view key) {
  static const json::value nothing;
  auto* found = x.find(key);
  return found ? *found : nothing;
}

std::string code_of(const json::value& x) {
  return at(x, "error").string_or("code", "");
}

std::string message_of(const json::value& x) {
  return at(x, "error").string_or("message", "");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(tests, fixture)

CAF_TEST(an actor shows what it does) {
  shard.signs.arrived();
  shard.signs.arrived();
  shard.signs.begin(typeid(letter), to_ns(clock.time));
  shard.held.set(3);
  clock.time += 400ms;
  auto x = get("/api/v1/actors/routing%2Fshard-0");
  CAF_CHECK_EQUAL(x.string_or("id", ""), "routing/shard-0");
  CAF_CHECK_EQUAL(x.string_or("type", ""), "routing-shard");
  CAF_CHECK_EQUAL(x.string_or("state", ""), "busy");
  CAF_CHECK_EQUAL(x.string_or("supervisor", ""), "routing");
  CAF_CHECK_EQUAL(x.int_or("mailbox_length", -1), 4);
  CAF_CHECK_EQUAL(x.string_or("current_message", ""), "letter");
  CAF_CHECK_EQUAL(x.int_or("current_for_ns", -1), 400'000'000);
  CAF_CHECK_EQUAL(x.int_or("running_since_unix_ns", -1), 5);
  CAF_CHECK(at(x, "bytes").is_null());
  CAF_CHECK(at(x, "last_cause").is_null());
  CAF_CHECK(at(x, "internals").is_null());
  CAF_CHECK(contains(x.string_or("internals_missing", ""), "does not answer"));
  shard.bytes.set(77);
  shard.knows_bytes = true;
  control.internals = json::object{{"kind", "routing-shard"}};
  x = get("/api/v1/actors/routing/shard-0");
  CAF_CHECK_EQUAL(x.int_or("bytes", -1), 77);
  CAF_CHECK_EQUAL(at(x, "internals").string_or("kind", ""), "routing-shard");
  CAF_CHECK(at(x, "internals_missing").is_null());
}

CAF_TEST(who is stuck is not asked) {
  control.internals = json::object{{"kind", "routing-shard"}};
  shard.signs.begin(typeid(letter), to_ns(clock.time));
  clock.time += 2s;
  auto x = get("/api/v1/actors/routing/shard-0");
  CAF_CHECK_EQUAL(x.string_or("state", ""), "stuck");
  CAF_CHECK(at(x, "internals").is_null());
  CAF_CHECK_EQUAL(x.string_or("internals_missing", ""),
                  "routing/shard-0 does not answer; it is stuck");
}

CAF_TEST(actors are listed by their ids or the measure that is asked for) {
  CAF_CHECK_EQUAL(ids("/api/v1/actors"), "node routing routing/shard-0");
  shard.held.set(3);
  CAF_CHECK_EQUAL(ids("/api/v1/actors?top=queue"),
                  "routing/shard-0 node routing");
  CAF_CHECK_EQUAL(ids("/api/v1/actors?top=queue&limit=1"), "routing/shard-0");
  CAF_CHECK_EQUAL(ids("/api/v1/actors?type=supervisor"), "node routing");
  CAF_CHECK_EQUAL(ids("/api/v1/actors?under=routing"),
                  "routing routing/shard-0");
  CAF_CHECK_EQUAL(ids("/api/v1/actors?state=busy"), "");
  auto& node = record("node");
  node.bytes.set(0);
  node.knows_bytes = true;
  CAF_CHECK_EQUAL(ids("/api/v1/actors?top=memory"),
                  "node routing routing/shard-0");
  record("routing").journal.add(actor_journal::kind::started, 6);
  CAF_CHECK_EQUAL(ids("/api/v1/actors?top=restarts&limit=1"), "routing");
  CAF_CHECK_EQUAL(get("/api/v1/actors?limit=1").int_or("total", 0), 3);
}

CAF_TEST(the tree shows what supervisors say of their children) {
  auto x = get("/api/v1/tree");
  auto& root = at(x, "root");
  CAF_CHECK_EQUAL(root.string_or("id", ""), "node");
  auto* children = at(root, "children").if_array();
  CAF_REQUIRE(children && children->size() == 1);
  auto& routing = children->front();
  CAF_CHECK_EQUAL(routing.string_or("strategy", ""), "one_for_all");
  CAF_CHECK_EQUAL(routing.int_or("restarts_used", -1), 2);
  CAF_CHECK_EQUAL(routing.int_or("restarts_allowed", -1), 20);
  CAF_CHECK_EQUAL(routing.int_or("period_ns", -1), 10'000'000'000);
  auto& leaf = at(routing, "children").if_array()->at(0);
  CAF_CHECK_EQUAL(leaf.string_or("name", ""), "shard-0");
  CAF_CHECK_EQUAL(leaf.string_or("phase", ""), "running");
  CAF_CHECK_EQUAL(leaf.string_or("restart", ""), "permanent");
  CAF_CHECK(at(leaf, "strategy").is_null());
}

CAF_TEST(a child that waits shows its pause and one that is done has ended) {
  using phase = supervisor_machine::child_phase;
  auto board = record("routing").board.read();
  board.children[0].phase = phase::waiting;
  board.children[0].due = clock.time + 70ms;
  board.children[0].last_cause = "out of cheese";
  record("routing").board.write(board);
  shard.is_vacant = true;
  auto x = get("/api/v1/tree");
  auto& branch = at(at(x, "root"), "children").if_array()->at(0);
  auto& leaf = at(branch, "children").if_array()->at(0);
  CAF_CHECK_EQUAL(leaf.string_or("state", ""), "away");
  CAF_CHECK_EQUAL(leaf.string_or("phase", ""), "waiting");
  CAF_CHECK_EQUAL(leaf.int_or("backoff_left_ns", -1), 70'000'000);
  CAF_CHECK_EQUAL(leaf.string_or("last_cause", ""), "out of cheese");
  board.children[0].phase = phase::absent;
  record("routing").board.write(board);
  CAF_CHECK_EQUAL(get("/api/v1/actors/routing/shard-0").string_or("state", ""),
                  "ended");
}

CAF_TEST(a change needs the token and the refusal says where it is) {
  for (auto* authorization : {"", "Bearer x", "Bearer "}) {
    auto x = ask("POST", "/api/v1/actors/routing/shard-0/kill", authorization);
    CAF_CHECK_EQUAL(x.status, 401u);
    auto body = json::parse(x.body).value();
    CAF_CHECK_EQUAL(code_of(body), "unauthorized");
    CAF_CHECK(contains(message_of(body), token->path()));
  }
  CAF_CHECK(control.done.empty());
  // Also one that is not there: nobody without a token learns who is.
  CAF_CHECK_EQUAL(ask("POST", "/api/v1/actors/nobody/kill").status, 401u);
}

CAF_TEST(an actor is killed in every mode) {
  auto x = post("/api/v1/actors/routing%2Fshard-0/kill");
  CAF_CHECK_EQUAL(x.string_or("outcome", ""), "done");
  CAF_CHECK_EQUAL(x.string_or("mode", ""), "exception");
  CAF_CHECK(at(x, "for_ms").is_null());
  CAF_CHECK_EQUAL(at(x, "before").string_or("id", ""), "routing/shard-0");
  for (auto* mode : {"exit", "kill", "hang&for_ms=50", "hang"})
    CAF_CHECK_EQUAL(
        post("/api/v1/actors/routing/shard-0/kill?mode=" + std::string{mode})
            .string_or("outcome", ""),
        "done");
  CAF_CHECK_EQUAL(control.done,
                  (std::vector<std::string>{"kill routing/shard-0 0 2000",
                                            "kill routing/shard-0 1 2000",
                                            "kill routing/shard-0 2 2000",
                                            "kill routing/shard-0 3 50",
                                            "kill routing/shard-0 3 2000"}));
  CAF_CHECK_EQUAL(events.newest(), 5u);
  CAF_CHECK_EQUAL(events.since(0, 1).at(0).kind, "actor-killed");
}

CAF_TEST(a supervisor takes its subtree along) {
  auto x = post("/api/v1/actors/routing/kill?mode=kill&dry_run=true");
  CAF_CHECK(at(x, "affected")
            == json::value(json::array{"routing", "routing/shard-0"}));
  CAF_CHECK_EQUAL(x.string_or("outcome", ""), "would_be_done");
  CAF_CHECK(control.done.empty());
  CAF_CHECK_EQUAL(events.newest(), 0u);
}

CAF_TEST(suspend and resume change what is not so already) {
  auto outcome = [this](const std::string& what) {
    return post("/api/v1/actors/routing/shard-0/" + what)
        .string_or("outcome", "");
  };
  CAF_CHECK_EQUAL(outcome("resume"), "unchanged");
  CAF_CHECK_EQUAL(outcome("suspend?dry_run=1"), "would_be_done");
  CAF_CHECK_EQUAL(outcome("suspend"), "done");
  CAF_CHECK_EQUAL(outcome("suspend"), "unchanged");
  CAF_CHECK_EQUAL(get("/api/v1/actors/routing/shard-0").string_or("state", ""),
                  "suspended");
  CAF_CHECK_EQUAL(outcome("resume"), "done");
  CAF_CHECK_EQUAL(control.done.size(), 2u);
  auto x = post("/api/v1/actors/routing/suspend", 409);
  CAF_CHECK_EQUAL(code_of(x), "conflict");
  CAF_CHECK(contains(message_of(x), "supervisor"));
}

CAF_TEST(who is away cannot be killed) {
  shard.is_vacant = true;
  auto x = post("/api/v1/actors/routing/shard-0/kill", 409);
  CAF_CHECK_EQUAL(code_of(x), "conflict");
  CAF_CHECK(contains(message_of(x), "try again"));
}

CAF_TEST(each change leaves a line in the audit log) {
  post("/api/v1/actors/routing/shard-0/kill?mode=hang&for_ms=7");
  post("/api/v1/actors/routing/shard-0/suspend?dry_run=true");
  post("/api/v1/actors/nobody/kill", 404);
  ask("POST", "/api/v1/actors/routing/shard-0/kill");
  auto lines = audit_lines();
  CAF_REQUIRE_EQUAL(lines.size(), 4u);
  CAF_CHECK_EQUAL(lines[0].string_or("who", ""), "127.0.0.1:5");
  CAF_CHECK_EQUAL(lines[0].string_or("client", ""), "test");
  CAF_CHECK_EQUAL(lines[0].string_or("action", ""), "kill");
  CAF_CHECK_EQUAL(lines[0].string_or("id", ""), "routing/shard-0");
  CAF_CHECK_EQUAL(lines[0].string_or("mode", ""), "hang");
  CAF_CHECK_EQUAL(lines[0].int_or("for_ms", 0), 7);
  CAF_CHECK_EQUAL(lines[0].string_or("result", ""), "done");
  CAF_CHECK_EQUAL(lines[1].string_or("result", ""), "would_be_done");
  CAF_CHECK(lines[1].bool_or("dry_run", false));
  CAF_CHECK_EQUAL(lines[2].string_or("result", ""), "not_found");
  CAF_CHECK_EQUAL(lines[2].int_or("status", 0), 404);
  CAF_CHECK_EQUAL(lines[3].string_or("result", ""), "unauthorized");
}

CAF_TEST(what cannot be written down is not done) {
  std::filesystem::create_directory(audit.path());
  auto x = post("/api/v1/actors/routing/shard-0/kill", 500);
  CAF_CHECK(contains(message_of(x), audit.path()));
  CAF_CHECK(control.done.empty());
}

CAF_TEST(wrong parameters are refused with what is allowed) {
  for (auto* target :
       {"/api/v1/actors?top=age", "/api/v1/actors?limit=0",
        "/api/v1/actors?limit=x", "/api/v1/actors?state=happy",
        "/api/v1/channels?top=age", "/api/v1/channels/a.b/route",
        "/api/v1/users/a%20b", "/api/v1/deadletters?limit=-1",
        "/api/v1/events?kind=nonsense", "/api/v1/events?since=x"}) {
    CAF_MESSAGE(target);
    CAF_CHECK_EQUAL(code_of(get(target, 400)), "bad_parameter");
  }
  for (auto* target : {"kill?mode=nuke", "kill?mode=hang&for_ms=0",
                       "kill?for_ms=60001", "suspend?dry_run=maybe"})
    CAF_CHECK_EQUAL(
        code_of(
            post("/api/v1/actors/routing/shard-0/" + std::string{target}, 400)),
        "bad_parameter");
  CAF_CHECK(control.done.empty());
}

CAF_TEST(what is not there is said in the form of the API) {
  CAF_CHECK_EQUAL(code_of(get("/api/v1/actors/nobody", 404)), "not_found");
  CAF_CHECK_EQUAL(code_of(get("/api/v1/nonsense", 404)), "not_found");
  CAF_CHECK_EQUAL(code_of(post("/api/v1/node", 405)), "method_not_allowed");
  CAF_CHECK_EQUAL(code_of(get("/api/v1/instances", 503)), "no_answer");
  CAF_CHECK_EQUAL(code_of(get("/api/v1/channels", 503)), "no_answer");
  CAF_CHECK_EQUAL(code_of(get("/api/v1/users/u", 503)), "no_answer");
  CAF_CHECK_EQUAL(code_of(get("/api/v1/channels/c/route", 503)), "no_answer");
}

CAF_TEST(dead letters are told newest first) {
  counts.letters.add("bad_json", "presence", "s", "{", 1);
  counts.letters.add("bad_json", "presence", "s", "[", 2);
  auto x = get("/api/v1/deadletters?limit=1");
  CAF_CHECK_EQUAL(x.int_or("total", 0), 2);
  CAF_CHECK_EQUAL(at(x, "by_reason").int_or("bad_json", 0), 2);
  auto* letters = at(x, "letters").if_array();
  CAF_REQUIRE(letters && letters->size() == 1);
  CAF_CHECK_EQUAL(letters->front().string_or("sample", ""), "[");
  CAF_CHECK_EQUAL(letters->front().int_or("count", 0), 2);
}

CAF_TEST_FIXTURE_SCOPE_END()
