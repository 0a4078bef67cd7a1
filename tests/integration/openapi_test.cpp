// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.openapi

#include "tests/integration/clients.hpp"
#include "tests/integration/contract.hpp"
#include "tests/integration/operator.hpp"

#include "caf/test/unit_test.hpp"

#include <map>

using namespace fantail;
using namespace fantail::test;

namespace {

const std::string shard_path = "/api/v1/actors/routing%2Fshard-0";

struct fixture {
  contract written;
  node_process node;
  node_operator boss{node};
  std::optional<clients> talk;
  std::optional<receiver> f1;

  fixture() {
    CAF_REQUIRE(node.start_and_wait());
    talk.emplace(node.nats_url());
    f1.emplace(*talk, "f1", delivery_format::frame);
    CAF_REQUIRE(f1->is_registered());
    CAF_REQUIRE(talk->online("ada", "a1", "f1", {"general"}));
    CAF_REQUIRE(talk->online("bob", "b1", "s1", {"general"}));
    CAF_CHECK(f1->receives(talk->publish("general")));
    // A dead letter.
    talk->via.publish("presence.update.ada", "{no json");
    CAF_CHECK(eventually([this] {
      return boss.ask("/api/v1/deadletters").int_or("total", 0) > 0;
    }));
  }

  ~fixture() { CAF_CHECK_EQUAL(node.stop(), 0); }

  void check(const std::string& path, const std::string& method,
             const raw_http::response& answer, int status) {
    CAF_MESSAGE(path);
    CAF_CHECK_EQUAL(answer.status, status);
    for (auto& problem : written.check(path, method, answer))
      CAF_ERROR(problem);
  }

  /// What came of a stream has to be of `schema`; returns the hop, or kind, of
  /// each part.
  std::vector<std::string> check_stream(const std::string& text,
                                        const std::string& schema) {
    auto& schemas = at(at(written.document(), "components"), "schemas");
    std::vector<std::string> result;
    for (auto begin = text.find("data: "); begin != text.npos;
         begin = text.find("data: ", begin + 1)) {
      auto end = text.find('\n', begin);
      auto data = json::parse(text.substr(begin + 6, end - begin - 6));
      if (end == text.npos || !data)
        break;
      // What ends a stream has a reason and nothing else.
      if (data->find("reason"))
        break;
      std::vector<std::string> problems;
      written.match(at(schemas, schema), *data, schema, problems);
      for (auto& x : problems)
        CAF_ERROR(x);
      result.push_back(data->string_or("hop", data->string_or("kind", "")));
    }
    return result;
  }

  void check_get(const std::string& path, const std::string& target,
                 int status = 200) {
    check(path, "get", boss.get(target), status);
  }
};

} // namespace

CAF_TEST(the examples are what the schemas say) {
  contract written;
  size_t count = 0;
  for (auto& [path, methods] : *at(written.document(), "paths").if_object())
    for (auto& [method, operation] : *methods.if_object())
      for (auto status : {200, 400, 401, 404, 409, 503}) {
        auto* form = written.form_of(path, method, status);
        if (!form || !form->find("example"))
          continue;
        std::vector<std::string> problems;
        written.match(*form->find("schema"), *form->find("example"),
                      method + " " + path, problems);
        for (auto& x : problems)
          CAF_ERROR(x);
        ++count;
      }
  CAF_CHECK(count > 20);
}

CAF_TEST(the check finds what is wrong) {
  contract written;
  auto* form = written.form_of("/api/v1/actors", "get", 200);
  CAF_REQUIRE(form);
  auto broken = [&](const char* text) {
    std::vector<std::string> problems;
    written.match(*form->find("schema"), json::parse(text).value(), "x",
                  problems);
    return !problems.empty();
  };
  CAF_CHECK(!broken(R"({"taken_unix_ns":1,"sorted_by":"id","total":0,)"
                    R"("actors":[]})"));
  CAF_CHECK(broken(R"({"taken_unix_ns":1,"sorted_by":"id","total":0})"));
  CAF_CHECK(broken(R"({"taken_unix_ns":"1","sorted_by":"id","total":0,)"
                   R"("actors":[]})"));
  CAF_CHECK(broken(R"({"taken_unix_ns":1,"sorted_by":"age","total":0,)"
                   R"("actors":[]})"));
  CAF_CHECK(broken(R"({"taken_unix_ns":1,"sorted_by":"id","total":0,)"
                   R"("actors":[{}]})"));
  CAF_CHECK(broken(R"({"taken_unix_ns":null,"sorted_by":"id","total":0,)"
                   R"("actors":[]})"));
}

CAF_TEST_FIXTURE_SCOPE(openapi_tests, fixture)

CAF_TEST(every path answers as it is written) {
  std::map<std::string, std::string> targets{
      {"/api/v1/node", "/api/v1/node"},
      {"/api/v1/tree", "/api/v1/tree"},
      {"/api/v1/actors", "/api/v1/actors?top=queue&limit=50"},
      {"/api/v1/actors/{id}", shard_path},
      {"/api/v1/shards", "/api/v1/shards"},
      {"/api/v1/instances", "/api/v1/instances"},
      {"/api/v1/channels", "/api/v1/channels?top=members"},
      {"/api/v1/channels/{name}/route", "/api/v1/channels/general/route"},
      {"/api/v1/users/{name}", "/api/v1/users/ada"},
      {"/api/v1/deadletters", "/api/v1/deadletters?limit=5"},
      {"/api/v1/openapi.json", "/api/v1/openapi.json"},
  };
  for (auto& [path, methods] : *at(written.document(), "paths").if_object()) {
    auto streams = path == "/api/v1/events" || path == "/api/v1/trace";
    if (methods.find("get") && !streams) {
      CAF_CHECK(targets.contains(path));
      check_get(path, targets[path]);
    }
  }
}

CAF_TEST(every kind of actor answers as it is written) {
  auto all = boss.ask("/api/v1/actors");
  size_t count = 0;
  for (auto& x : *at(all, "actors").if_array()) {
    auto id = x.string_or("id", "");
    check_get("/api/v1/actors/{id}", "/api/v1/actors/" + id);
    auto shown = boss.actor(id);
    // Kinds that tell something do.
    auto type = shown.string_or("type", "");
    auto tells = !at(shown, "internals").is_null();
    CAF_CHECK(at(shown, "internals_missing").is_null());
    if (tells)
      CAF_CHECK_EQUAL(at(shown, "internals").string_or("kind", ""), type);
    count += tells ? 1 : 0;
  }
  // 8 shards, 8 presence shards, 16 pullers and that of instances, an egress,
  // an outbox, 6 supervisors.
  CAF_CHECK_EQUAL(count, 41u);
}

CAF_TEST(every change answers as it is written) {
  for (std::string action : {"kill", "suspend", "resume"}) {
    auto path = "/api/v1/actors/{id}/" + action;
    auto target = shard_path + "/" + action;
    check(path, "post", boss.post(target + "?dry_run=true"), 200);
    check(path, "post", boss.post(target + "?dry_run=x"), 400);
    check(path, "post", boss.post_without_token(target), 401);
    check(path, "post", boss.post("/api/v1/actors/nobody/" + action), 404);
    check(path, "post", boss.post(target), 200);
  }
  check("/api/v1/actors/{id}/suspend", "post",
        boss.post("/api/v1/actors/routing/suspend"), 409);
}

CAF_TEST(wrong questions are answered as it is written) {
  check_get("/api/v1/actors", "/api/v1/actors?top=age", 400);
  check_get("/api/v1/actors/{id}", "/api/v1/actors/nobody", 404);
  check_get("/api/v1/channels", "/api/v1/channels?limit=0", 400);
  check_get("/api/v1/channels/{name}/route", "/api/v1/channels/a.b/route", 400);
  check_get("/api/v1/channels/{name}/route", "/api/v1/channels/none/route");
  check_get("/api/v1/users/{name}", "/api/v1/users/nobody");
  check_get("/api/v1/users/{name}", "/api/v1/users/a.b", 400);
  check_get("/api/v1/deadletters", "/api/v1/deadletters?limit=x", 400);
  check_get("/api/v1/events", "/api/v1/events?kind=x", 400);
}

CAF_TEST(events are what is written) {
  raw_http viewer{node.http_port()};
  viewer.ask("/api/v1/events?since=0&for_seconds=60");
  CAF_REQUIRE_EQUAL(viewer.read().status, 200);
  CAF_REQUIRE(viewer.reads("\n\n"));
  boss.post(shard_path + "/kill");
  CAF_REQUIRE(viewer.reads("event: child-restarted"));
  CAF_CHECK(check_stream(viewer.received(), "Event").size() > 3);
}

CAF_TEST(a trace is what is written) {
  raw_http viewer{node.http_port()};
  viewer.ask("/api/v1/trace?channel=general&limit=2&for_seconds=60");
  CAF_REQUIRE(viewer.reads(": watching"));
  talk->publish("general");
  talk->publish("general");
  CAF_REQUIRE(viewer.reads("event: end"));
  CAF_REQUIRE(viewer.reads("all that was wanted has come"));
  auto hops = check_stream(viewer.received(), "Hop");
  for (auto* hop : {"pulled", "routed", "settled"})
    CAF_CHECK_EQUAL(std::count(hops.begin(), hops.end(), hop), 2);
  CAF_CHECK(std::count(hops.begin(), hops.end(), "written") > 0);
  CAF_CHECK(std::count(hops.begin(), hops.end(), "confirmed") > 0);
  check_get("/api/v1/trace", "/api/v1/trace", 400);
  check_get("/api/v1/trace", "/api/v1/trace?channel=a&user=b", 400);
  check_get("/api/v1/trace", "/api/v1/trace?channel=a&limit=0", 400);
}

CAF_TEST(a change of presence is followed until it is in effect) {
  raw_http viewer{node.http_port()};
  viewer.ask("/api/v1/trace?user=ada&limit=1&for_seconds=60");
  CAF_REQUIRE(viewer.reads(": watching"));
  CAF_REQUIRE(talk->online("ada", "a2", "f1", {"general", "random"}));
  CAF_REQUIRE(viewer.reads("event: end"));
  auto hops = check_stream(viewer.received(), "Hop");
  CAF_CHECK_EQUAL(hops,
                  (std::vector<std::string>{"pulled", "applied", "in_effect"}));
}

CAF_TEST(the server has no path that is not written) {
  auto index = boss.get("/").body;
  auto& paths = at(written.document(), "paths");
  size_t count = 0;
  for (auto begin = index.find("/api/v1/"); begin != index.npos;
       begin = index.find("/api/v1/", begin + 1)) {
    auto path = index.substr(begin, index.find(' ', begin) - begin);
    CAF_MESSAGE(path);
    CAF_CHECK(paths.find(path) != nullptr);
    ++count;
  }
  CAF_CHECK(count >= 14);
}

CAF_TEST_FIXTURE_SCOPE_END()
