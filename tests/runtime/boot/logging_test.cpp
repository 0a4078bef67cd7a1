// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.boot.logging

#include "core/json.hpp"
#include "runtime/boot/logging.hpp"

#include "caf/test/unit_test.hpp"

#include <unistd.h>

#include <array>
#include <limits>
#include <string>
#include <thread>
#include <vector>

using namespace fantail;

namespace {

/// What `body` writes to stderr; less than a pipe holds.
template <class F>
std::string captured(F body) {
  std::array<int, 2> ends;
  CAF_REQUIRE_EQUAL(pipe(ends.data()), 0);
  auto saved = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  body();
  dup2(saved, STDERR_FILENO);
  close(saved);
  close(ends[1]);
  std::string result;
  std::array<char, 4096> chunk;
  for (auto n = read(ends[0], chunk.data(), chunk.size()); n > 0;
       n = read(ends[0], chunk.data(), chunk.size()))
    result.append(chunk.data(), static_cast<size_t>(n));
  close(ends[0]);
  return result;
}

struct fixture {
  ~fixture() { configure_logging(log_level::info, log_format::text); }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(logging_tests, fixture)

CAF_TEST(a_text_line_names_level_component_event_and_fields) {
  CAF_CHECK_EQUAL(render_event(log_format::text, log_level::warn, "egress",
                               "connection-lost",
                               {{"life", 3}, {"reason", "it broke"}}),
                  "warn  egress connection-lost life=3 reason=\"it broke\"");
}

CAF_TEST(a_json_line_is_json_and_keeps_numbers) {
  auto line = render_event(log_format::json, log_level::error, "egress",
                           "connection-lost",
                           {{"life", 3},
                            {"share", 0.5},
                            {"open", true},
                            {"odd", std::numeric_limits<double>::infinity()},
                            {"reason", "a \"quoted\"\nline"}});
  auto value = json::parse(line);
  CAF_REQUIRE(value);
  CAF_CHECK_EQUAL(value->string_or("level", ""), "error");
  CAF_CHECK_EQUAL(value->string_or("component", ""), "egress");
  CAF_CHECK_EQUAL(value->string_or("event", ""), "connection-lost");
  CAF_CHECK_EQUAL(value->int_or("life", 0), 3);
  CAF_CHECK_EQUAL(value->find("share")->as_double().value_or(0), 0.5);
  CAF_CHECK_EQUAL(value->bool_or("open", false), true);
  CAF_CHECK_EQUAL(value->string_or("odd", ""), "inf");
  CAF_CHECK_EQUAL(value->string_or("reason", ""), "a \"quoted\"\nline");
}

CAF_TEST(a_value_cannot_forge_a_line) {
  auto line = render_event(log_format::text, log_level::info, "api", "asked",
                           {{"path", "/x\nerror egress forged \x1b[31m"}});
  CAF_CHECK_EQUAL(line.find('\n'), line.npos);
  CAF_CHECK_EQUAL(line.find('\x1b'), line.npos);
}

CAF_TEST(less_important_events_are_left_out) {
  auto text = captured([] {
    configure_logging(log_level::warn, log_format::text);
    log_event(log_level::info, "boot", "unseen");
    log_event(log_level::warn, "boot", "seen");
  });
  CAF_CHECK_EQUAL(text.find("unseen"), text.npos);
  CAF_CHECK_NOT_EQUAL(text.find("Z warn  boot seen\n"), text.npos);
  CAF_CHECK_EQUAL(text.find('\x1b'), text.npos);
}

CAF_TEST(json_lines_carry_the_time) {
  auto text = captured([] {
    configure_logging(log_level::info, log_format::json);
    log_event(log_level::info, "boot", "seen", {{"percent", "{} %v %%"}});
  });
  auto value = json::parse(text);
  CAF_REQUIRE(value);
  CAF_CHECK_EQUAL(value->string_or("time", "").size(), 24u);
  CAF_CHECK_EQUAL(value->string_or("percent", ""), "{} %v %%");
}

CAF_TEST(threads_do_not_mix_their_lines) {
  auto text = captured([] {
    configure_logging(log_level::info, log_format::json);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([i] {
        for (int j = 0; j < 50; ++j)
          log_event(log_level::info, "boot", "seen", {{"i", i}, {"j", j}});
      });
    for (auto& x : threads)
      x.join();
  });
  size_t lines = 0;
  for (size_t at = 0; at < text.size(); ++lines) {
    auto end = text.find('\n', at);
    CAF_REQUIRE(end != text.npos);
    CAF_REQUIRE(json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  CAF_CHECK_EQUAL(lines, 200u);
}

CAF_TEST(words_of_the_configuration_are_understood) {
  CAF_CHECK(parse_log_level("trace") == log_level::trace);
  CAF_CHECK(parse_log_level("error") == log_level::error);
  CAF_CHECK(!parse_log_level("loud"));
  CAF_CHECK(parse_log_format("json") == log_format::json);
  CAF_CHECK(!parse_log_format("xml"));
}

CAF_TEST_FIXTURE_SCOPE_END()
