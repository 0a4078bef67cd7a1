// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.http.http_message

#include "runtime/http/http_message.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

namespace {

http_request parsed(std::string_view target) {
  http_request result;
  if (!parse_target(target, result))
    CAF_FAIL("refused: " << std::string{target});
  return result;
}

std::string parameter(std::string_view target, const std::string& name) {
  return parsed(target).query[name];
}

bool is_refused(std::string_view target) {
  http_request ignored;
  return !parse_target(target, ignored);
}

} // namespace

CAF_TEST(a_target_is_split_into_path_and_query) {
  auto x = parsed("/debug/routing-stats?top=20&verbose&empty=");
  CAF_CHECK_EQUAL(x.path, "/debug/routing-stats");
  CAF_CHECK_EQUAL(x.query.size(), 3u);
  CAF_CHECK_EQUAL(x.query["top"], "20");
  CAF_CHECK_EQUAL(x.query["verbose"], "");
  CAF_CHECK_EQUAL(x.query["empty"], "");
  CAF_CHECK(parsed("/").query.empty());
  CAF_CHECK(parsed("/?").query.empty());
  CAF_CHECK(parsed("/?&&").query.empty());
  CAF_CHECK_EQUAL(parameter("/?a=1&a=2", "a"), "2");
  CAF_CHECK_EQUAL(parameter("/?a=1=2", "a"), "1=2");
}

CAF_TEST(escapes_are_decoded) {
  auto x = parsed("/a%2fb+c?k%20k=%41+%2B");
  CAF_CHECK_EQUAL(x.path, "/a/b+c");
  CAF_CHECK_EQUAL(x.query["k k"], "A +");
}

CAF_TEST(malformed_targets_are_refused) {
  for (auto* x : {"", "*", "a", "http://host/", "/%", "/%4", "/%4g", "/%-1",
                  "/%+1", "/?%", "/?a=%zz"})
    CAF_CHECK(is_refused(x));
}

CAF_TEST(a_flag_is_set_by_its_name_or_by_one) {
  CAF_CHECK(parsed("/?reset").has_flag("reset"));
  CAF_CHECK(parsed("/?reset=1").has_flag("reset"));
  CAF_CHECK(!parsed("/?reset=0").has_flag("reset"));
  CAF_CHECK(!parsed("/?preset").has_flag("reset"));
}

CAF_TEST(a_problem_says_what_to_do) {
  auto x = problem_response(418, "a \"teapot\"", "ask for coffee");
  CAF_CHECK_EQUAL(x.status, 418u);
  CAF_CHECK_EQUAL(x.content_type, "application/json");
  auto body = json::parse(x.body);
  CAF_REQUIRE(body);
  CAF_CHECK_EQUAL(body->string_or("error", ""), "a \"teapot\"");
  CAF_CHECK_EQUAL(body->string_or("what_to_do", ""), "ask for coffee");
}
