// SPDX-License-Identifier: MIT
#define CAF_SUITE api.node_api

#include "api/node_api.hpp"
#include "runtime/http/http_server.hpp"
#include "tests/api/inspected_node.hpp"
#include "tests/runtime/http/raw_http.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

using condition = component_health::condition;

namespace {

struct fixture {
  inspected_node node;
  std::vector<component_health> components{
      {"nats-ingest", condition::ok, "", {}},
      {"presence", condition::ok, "", {}}};
  bool actors_answer = true;
  cpu_profiler profiler;
  std::vector<http_route> routes = node_routes(view());

  node_view view() {
    node_view result;
    result.name = "n1";
    result.versions = {{"fantail", "0.1.0"}, {"caf", "0.17.6"}};
    result.started_at
        = std::chrono::system_clock::now() - std::chrono::seconds{90};
    result.counts = &node.counts;
    result.instances = &node.instances;
    result.inspect = [this](size_t top) {
      return actors_answer ? node.inspect(top) : nullptr;
    };
    result.inspect_routes = [this](std::vector<std::string> channels) {
      auto seen = std::make_shared<route_inspection>(std::move(channels), 2);
      channel_route route;
      route.members = 7;
      route.stops = {{instance_index{1}, 5}};
      seen->add({{"general", route}});
      seen->add({});
      return actors_answer ? seen : nullptr;
    };
    result.health = [this] {
      return components;
    };
    result.profiler = &profiler;
    return result;
  }

  http_response get(std::string_view target) {
    http_request request;
    request.method = "GET";
    CAF_REQUIRE(parse_target(target, request));
    for (auto& route : routes)
      if (route.path == request.path)
        return route.handler(request);
    return problem_response(404, "no such route", "");
  }

  json::value get_json(std::string_view target, unsigned status = 200) {
    auto answer = get(target);
    CAF_CHECK_EQUAL(answer.status, status);
    CAF_CHECK_EQUAL(answer.content_type, "application/json");
    return json::parse(answer.body).value_or(json::value{});
  }

  int64_t total_count(std::string_view target) {
    auto answer = get_json(target);
    auto* total = answer.find("total");
    return total ? total->int_or("count", -1) : -1;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(node_api_tests, fixture)

CAF_TEST(health_fails_when_a_component_does) {
  CAF_CHECK_EQUAL(get_json("/health").string_or("status", ""), "ok");
  CAF_CHECK(get_json("/ready").bool_or("ready", false));
  components[1].status = condition::starting;
  get_json("/health", 200);
  get_json("/ready", 503);
  components[1].status = condition::failing;
  CAF_CHECK_EQUAL(get_json("/health", 503).string_or("status", ""), "failing");
  get_json("/ready", 503);
}

CAF_TEST(metrics_are_in_the_format_of_prometheus) {
  auto answer = get("/metrics");
  CAF_CHECK_EQUAL(answer.status, 200u);
  CAF_CHECK_EQUAL(answer.content_type,
                  "text/plain; version=0.0.4; charset=utf-8");
  CAF_CHECK(answer.body.find("fanout_jetstream_consumer_lag{stream=\"FANTAIL_IN"
                             "_1\",consumer=\"routing_shard\"} 7\n")
            != std::string::npos);
}

CAF_TEST(version_tells_what_runs) {
  auto x = get_json("/version");
  CAF_CHECK_EQUAL(x.string_or("node", ""), "n1");
  CAF_CHECK_EQUAL(x.find("versions")->string_or("caf", ""), "0.17.6");
  CAF_CHECK(x.int_or("uptime_seconds", 0) >= 90);
  CAF_CHECK(x.string_or("started_at", "").ends_with("Z"));
}

CAF_TEST(routing_stats_name_as_many_channels_as_asked_for) {
  auto channels = [this](std::string_view target) {
    return get_json(target).find("TopChannels")->if_array()->size();
  };
  CAF_CHECK_EQUAL(channels("/debug/routing-stats"), 6u);
  CAF_CHECK_EQUAL(channels("/debug/routing-stats?top=2"), 2u);
  CAF_CHECK_EQUAL(channels("/debug/routing-stats?top=100"), 6u);
  for (auto* wrong : {"0", "101", "-1", "", "2x", "99999999999999999999999"})
    get_json(std::string{"/debug/routing-stats?top="} + wrong, 400);
}

CAF_TEST(actors_that_do_not_answer_are_told) {
  actors_answer = false;
  auto x = get_json("/debug/routing-stats", 503);
  CAF_CHECK(x.find("error") && x.find("what_to_do"));
}

CAF_TEST(latency_has_a_window) {
  node.counts.egress[0].total.record(1000, 5);
  CAF_CHECK_EQUAL(total_count("/debug/latency"), 5);
  CAF_CHECK_EQUAL(total_count("/debug/latency?reset=1"), 5);
  CAF_CHECK_EQUAL(total_count("/debug/latency"), 0);
  node.counts.egress[0].total.record(1000, 2);
  CAF_CHECK_EQUAL(total_count("/debug/latency"), 2);
  CAF_CHECK_EQUAL(total_count("/debug/latency?since_start=1"), 7);
  CAF_CHECK_EQUAL(total_count("/debug/latency?reset&since_start"), 7);
  CAF_CHECK_EQUAL(total_count("/debug/latency?reset=0"), 0);
}

CAF_TEST(routes_of_channels_name_instances_and_users) {
  auto x = get_json("/debug/routes?channel=general,unknown");
  auto* general = x.find("general");
  CAF_REQUIRE(general);
  CAF_CHECK_EQUAL(general->int_or("Members", -1), 7);
  CAF_CHECK_EQUAL(general->find("Instances")->int_or("notif-001", -1), 5);
  CAF_CHECK(!x.find("unknown"));
  get_json("/debug/routes?channel=", 400);
  get_json("/debug/routes?channel=a%20b", 400);
  std::string many{"/debug/routes?channel=c"};
  for (int i = 0; i < 100; ++i)
    many += ",c";
  get_json(many, 400);
  actors_answer = false;
  get_json("/debug/routes?channel=general", 503);
}

CAF_TEST(the_index_lists_every_route) {
  auto index = get("/");
  CAF_CHECK(index.content_type.starts_with("text/plain"));
  for (auto& route : routes)
    CAF_CHECK(index.body.find("\n" + route.path + " ") != std::string::npos
              || route.path == "/");
  CAF_CHECK_EQUAL(routes.size(), 11u);
}

CAF_TEST(only_the_routes_that_ask_actors_may_wait) {
  for (auto& route : routes)
    CAF_CHECK_EQUAL(route.waits, route.path == "/debug/routing-stats"
                                     || route.path == "/debug/routes");
}

CAF_TEST(a_server_serves_the_routes) {
  auto started = http_server::start({}, node_routes(view()));
  CAF_REQUIRE(std::holds_alternative<std::unique_ptr<http_server>>(started));
  auto& server = std::get<0>(started);
  raw_http client{server->port()};
  for (auto& route : routes) {
    // A profile takes seconds, and is made by nobody in a sanitizer's build.
    if (route.path.starts_with("/debug/profile/"))
      continue;
    CAF_CHECK_EQUAL(client.get(route.path).status,
                    route.path == "/debug/routes" ? 400u : 200u);
  }
  components[0].status = condition::failing;
  CAF_CHECK_EQUAL(client.get("/health").status, 503);
}

CAF_TEST_FIXTURE_SCOPE_END()
