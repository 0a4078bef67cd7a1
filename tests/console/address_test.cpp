// SPDX-License-Identifier: MIT
#define CAF_SUITE console.address

#include "console/address.hpp"
#include "console/run.hpp"
#include "runtime/boot/node_config.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::console;

namespace {

address parsed(std::string_view url) {
  auto result = parse_address(url);
  if (auto* why = std::get_if<std::string>(&result)) {
    CAF_ERROR(*why);
    return {};
  }
  return std::get<address>(result);
}

bool is_refused(std::string_view url) {
  return std::holds_alternative<std::string>(parse_address(url));
}

} // namespace

CAF_TEST(a_node_with_defaults_is_found) {
  node_config config;
  CAF_CHECK_EQUAL(address{}.port, config.http.port);
  CAF_CHECK_EQUAL(address{}.host, config.http.address);
  CAF_CHECK_EQUAL(std::string{default_token_file},
                  config.node.state_directory + "/admin.token");
}

CAF_TEST(what_may_be_left_out) {
  CAF_CHECK(parsed("http://10.0.0.5:81") == (address{"10.0.0.5", 81}));
  CAF_CHECK(parsed("10.0.0.5:81/") == (address{"10.0.0.5", 81}));
  CAF_CHECK(parsed("localhost") == (address{"localhost", 7480}));
  CAF_CHECK(parsed("http://[::1]:81") == (address{"::1", 81}));
  CAF_CHECK_EQUAL(parsed("[::1]").url(), "http://[::1]:7480");
  CAF_CHECK_EQUAL(parsed("n1").url(), "http://n1:7480");
}

CAF_TEST(what_is_no_address) {
  for (auto* x : {"", "http://", "https://n1", "n1:0", "n1:65536", "n1:",
                  "n1:80x", "a b", "n1/path", "[::1", "ftp://n1", "n1\r\nX: y"})
    CAF_CHECK(is_refused(x));
}

CAF_TEST(who_answers_on_this_machine_only) {
  for (auto* x : {"localhost", "127.0.0.1", "127.1.2.3", "[::1]"})
    CAF_CHECK(parsed(x).is_loopback());
  for (auto* x : {"10.0.0.1", "n1", "localhost.example.org"})
    CAF_CHECK(!parsed(x).is_loopback());
}

CAF_TEST(words_become_one_segment_of_a_path) {
  CAF_CHECK_EQUAL(percent_encode("routing/shard-3"), "routing%2Fshard-3");
  CAF_CHECK_EQUAL(percent_encode("a b?c&d=e#f"), "a%20b%3Fc%26d%3De%23f");
  CAF_CHECK_EQUAL(percent_encode("ü\r\n"), "%C3%BC%0D%0A");
}
