// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.http.http_routes

#include "runtime/http/http_routes.hpp"

#include "caf/test/unit_test.hpp"

#include <stdexcept>

using namespace fantail;

namespace {

struct fixture {
  std::vector<http_route> routes{
      {"GET", "/api/v1/actors", "", nullptr},
      {"GET", "/api/v1/actors/{id}", "", nullptr},
      {"POST", "/api/v1/actors/{id}/kill", "", nullptr},
      {"GET", "/api/v1/channels/{name}/route", "", nullptr},
  };
  std::string allowed;
  std::string argument;

  /// The path of the route that answers, with its argument.
  std::string found(const std::string& method, const std::string& path) {
    http_request request;
    request.method = method;
    request.path = path;
    allowed.clear();
    auto* route = find_route(routes, request, allowed);
    return route ? route->path + " " + request.argument : "";
  }
};

bool says(const http_response& x, std::string_view text) {
  return x.body.find(text) != std::string::npos;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(tests, fixture)

CAF_TEST(a placeholder takes everything between what is fixed) {
  CAF_CHECK_EQUAL(found("GET", "/api/v1/actors"), "/api/v1/actors ");
  CAF_CHECK_EQUAL(found("GET", "/api/v1/actors/routing/shard-3"),
                  "/api/v1/actors/{id} routing/shard-3");
  CAF_CHECK_EQUAL(found("POST", "/api/v1/actors/routing/shard-3/kill"),
                  "/api/v1/actors/{id}/kill routing/shard-3");
  CAF_CHECK_EQUAL(found("GET", "/api/v1/channels/general/route"),
                  "/api/v1/channels/{name}/route general");
  CAF_CHECK_EQUAL(found("HEAD", "/api/v1/actors/x"), "/api/v1/actors/{id} x");
}

CAF_TEST(a placeholder is not empty) {
  CAF_CHECK_EQUAL(found("GET", "/api/v1/actors/"), "");
  CAF_CHECK_EQUAL(found("GET", "/api/v1/channels//route"), "");
  CAF_CHECK_EQUAL(found("GET", "/api/v1/channels/route"), "");
  CAF_CHECK_EQUAL(allowed, "");
}

CAF_TEST(a path that takes other methods names them) {
  CAF_CHECK_EQUAL(found("POST", "/api/v1/actors"), "");
  CAF_CHECK_EQUAL(allowed, "GET, HEAD");
  auto x = no_route("/api/v1/actors", allowed);
  CAF_CHECK_EQUAL(x.status, 405u);
  CAF_CHECK(says(x, "\"code\": \"method_not_allowed\""));
  CAF_CHECK(says(x, "use GET, HEAD"));
}

CAF_TEST(refusals have the form of their path) {
  CAF_CHECK(says(no_route("/api/v1/x", ""), "\"message\""));
  CAF_CHECK(says(no_route("/x", ""), "\"what_to_do\""));
  CAF_CHECK(says(malformed_path("/api/%"), "malformed_request"));
  CAF_CHECK(says(too_many_wait("/api/v1/x"), "\"code\": \"no_answer\""));
  CAF_CHECK(says(too_long("/x"), "\"what_to_do\""));
  CAF_CHECK_EQUAL(too_large_body().status, 413u);
  CAF_CHECK_EQUAL(too_large_header().status, 431u);
}

CAF_TEST(a handler that throws becomes status 500) {
  http_route route;
  route.handler = [](const http_request&) -> http_response {
    throw std::runtime_error("out of cheese");
  };
  http_request request;
  request.path = "/api/v1/x";
  auto x = call(route, request);
  CAF_CHECK_EQUAL(x.status, 500u);
  CAF_CHECK(says(x, "out of cheese"));
  CAF_CHECK(says(x, "\"code\": \"internal\""));
}

CAF_TEST_FIXTURE_SCOPE_END()
