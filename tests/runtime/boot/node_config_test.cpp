// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.boot.node_config

#include "runtime/boot/config_keys.hpp"
#include "tests/paths.hpp"
#include "tests/runtime/boot/scratch_directory.hpp"

#include "caf/actor_system_config.hpp"
#include "caf/test/unit_test.hpp"

#include <fstream>
#include <sstream>

using namespace fantail;

namespace {

using problems = std::vector<config_problem>;

std::string content_of(const std::string& path) {
  std::ifstream in{path};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

struct fixture {
  scratch_directory directory;
  std::string path = directory.path + "/test.conf";

  std::variant<node_config, problems>
  load_text(const std::string& text,
            const std::vector<std::string>& overrides = {}) {
    std::ofstream{path, std::ios::binary} << text;
    return load(path, overrides);
  }

  node_config good(const std::string& text,
                   const std::vector<std::string>& overrides = {}) {
    auto result = load_text(text, overrides);
    if (auto* bad = std::get_if<problems>(&result))
      CAF_FAIL("refused: " + to_string(bad->front()));
    return std::get<node_config>(result);
  }

  /// All problems, one per line, without the directory's name.
  std::string bad(const std::string& text,
                  const std::vector<std::string>& overrides = {}) {
    auto result = load_text(text, overrides);
    std::string lines;
    if (auto* found = std::get_if<problems>(&result))
      for (auto& x : *found) {
        if (x.origin == path)
          x.origin = "test.conf";
        lines += to_string(x) + "\n";
      }
    return lines;
  }
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

} // namespace

#define CHECK_CONTAINS(text, part)                                             \
  do {                                                                         \
    auto text_value = (text);                                                  \
    CAF_CHECK(contains(text_value, part));                                     \
    if (!contains(text_value, part))                                           \
      CAF_MESSAGE("in: " + text_value);                                        \
  } while (false)

CAF_TEST_FIXTURE_SCOPE(node_config_tests, fixture)

CAF_TEST(an_empty_file_gives_the_defaults) {
  CAF_CHECK_EQUAL(render(good("")), render(node_config{}));
  CAF_CHECK_EQUAL(render(good("; nothing\n")), render(node_config{}));
}

CAF_TEST(the_rendered_defaults_are_accepted_and_give_the_defaults) {
  CAF_CHECK_EQUAL(render(good(render(node_config{}))), render(node_config{}));
}

CAF_TEST(the_shipped_file_is_the_rendered_default) {
  CAF_CHECK_EQUAL(content_of(test::source_dir() + "/caf-application.conf"),
                  render(node_config{}));
}

CAF_TEST(the_operations_page_holds_the_table_of_keys) {
  CHECK_CONTAINS(content_of(test::source_dir() + "/docs/OPERATIONS.md"),
                 render_table());
}

CAF_TEST(every_default_is_within_its_own_range) {
  for (auto& key : config_keys()) {
    node_config config;
    auto text = render_value(key, config);
    auto what = assign(key, read_value(key, text), config);
    CAF_CHECK_EQUAL(std::string{key.name} + what.value_or(""), key.name);
  }
}

CAF_TEST(every_key_can_be_set_to_something_else) {
  for (auto& key : config_keys()) {
    auto other = [&]() -> std::string {
      node_config defaults;
      switch (key.kind) {
      case key_kind::flag:
        return render_value(key, defaults) == "true" ? "false" : "true";
      case key_kind::word:
        return std::string{key.words.substr(key.words.rfind(' ') + 1)};
      case key_kind::text:
        return key.name == "nats.url" ? "nats://h:1" : "other";
      case key_kind::time:
        return std::to_string(key.max) + "ns";
      default:
        return std::to_string(key.max);
      }
    }();
    node_config config;
    auto what = assign(key, read_value(key, other), config);
    CAF_CHECK_EQUAL(std::string{key.name} + what.value_or(""), key.name);
    if (key.name != "log.format" || other != "text")
      CAF_CHECK_NOT_EQUAL(render(config), render(node_config{}));
    // What was set survives the way through a file.
    if (check_combinations(config).empty())
      CAF_CHECK_EQUAL(render(good(render(config))), render(config));
  }
}

CAF_TEST(braces_and_sections_mean_the_same) {
  auto config = good("[nats.tls]\nenabled=true\n[nats]\nurl=\"tls://h:1\"\n");
  CAF_CHECK(config.nats.tls.enabled);
  config = good("nats { url=\"tls://h:1\"\ntls { enabled=true } }\n");
  CAF_CHECK(config.nats.tls.enabled);
  CAF_CHECK_EQUAL(config.nats.url, "tls://h:1");
}

CAF_TEST(values_arrive_in_the_struct) {
  auto config = good("presence { ttl=3min }\n"
                     "outbox { bytes=\"2MiB\", events=500 }\n"
                     "nats { storage='memory', store-bytes-max=1073741824\n"
                     "stream-bytes-max=\"64MiB\" }\n"
                     "http { port=0 }\n");
  CAF_CHECK(config.presence.ttl == 3min);
  CAF_CHECK_EQUAL(config.outbox.bytes, 2u << 20);
  CAF_CHECK_EQUAL(config.outbox.events, 500u);
  CAF_CHECK_EQUAL(config.nats.storage, "memory");
  CAF_CHECK_EQUAL(config.nats.store_bytes_max, 1u << 30);
  CAF_CHECK_EQUAL(config.http.port, 0u);
}

CAF_TEST(an_unknown_key_is_refused_with_a_suggestion) {
  CHECK_CONTAINS(bad("cluster { shard=4 }\n"),
                 "test.conf: cluster.shard = 4: there is no such key; did you "
                 "mean cluster.shards?");
  CHECK_CONTAINS(bad("presence { shards=4 }\n"), "cluster.shards?");
  CHECK_CONTAINS(bad("caf { scheduler { policy='sharing' } }\n"),
                 "caf.scheduler.policy = 'sharing': there is no such key");
  CHECK_CONTAINS(bad("qqqqqqqqqqqqqq=1\n"), "no such key\n");
}

CAF_TEST(a_wrong_type_is_refused) {
  CHECK_CONTAINS(bad("cluster { shards=\"8\" }\n"),
                 "is not a whole number, 1 to 64");
  CHECK_CONTAINS(bad("cluster { shards=8.5 }\n"), "is not a whole number");
  CHECK_CONTAINS(bad("cluster { shards=[8] }\n"), "is not a whole number");
  CHECK_CONTAINS(bad("nats { tls { enabled=1 } }\n"), "is not true or false");
  CHECK_CONTAINS(bad("log { level='loud' }\n"), "is not one of 'trace', ");
  CHECK_CONTAINS(bad("node { name=7 }\n"), "is not a text in double quotes");
  CHECK_CONTAINS(bad("cluster=5\n"), "cluster = 5: there is no such key");
}

CAF_TEST(a_time_without_a_unit_is_refused) {
  CHECK_CONTAINS(bad("middleman { heartbeat-interval=500 }\n"),
                 "middleman.heartbeat-interval = 500: is not a time with its "
                 "unit such as 500ms, 10ms to 1min");
  CHECK_CONTAINS(bad("", {"presence.ttl=120"}), "is not a time");
}

CAF_TEST(a_value_out_of_range_is_refused) {
  CHECK_CONTAINS(bad("cluster { shards=0 }\n"), "1 to 64");
  CHECK_CONTAINS(bad("cluster { shards=65 }\n"), "1 to 64");
  CHECK_CONTAINS(bad("cluster { shards=-1 }\n"), "1 to 64");
  CHECK_CONTAINS(bad("outbox { frame-bytes=\"1MiB\" }\n"), "1KiB to 512KiB");
  CHECK_CONTAINS(bad("outbox { bytes=\"99999999TiB\" }\n"), "1MiB to 4GiB");
  CHECK_CONTAINS(bad("node { name=\"a b\" }\n"), "of A-Z a-z 0-9 _ -");
  CHECK_CONTAINS(bad("nats { url=\"http://h\" }\n"), "of the form nats://");
  CHECK_CONTAINS(bad("nats { url=\"nats://a,\" }\n"), "of the form nats://");
}

CAF_TEST(all_problems_are_told_at_once) {
  auto lines = bad("cluster { shards=0, nodes=1 }\n", {"log.level=x", "x"});
  CHECK_CONTAINS(lines, "cluster.shards = 0");
  CHECK_CONTAINS(lines, "cluster.nodes = 1");
  CHECK_CONTAINS(lines, "--set: log.level = x: is not one of");
  CHECK_CONTAINS(lines, "--set: x: is not of the form key=value");
}

CAF_TEST(the_traps_of_the_grammar_are_named) {
  CHECK_CONTAINS(bad("# comment\n"), "line 1: comments begin with a semicolon");
  CHECK_CONTAINS(bad("cluster { shards=4 }\r\n"), "Windows line ends");
  CHECK_CONTAINS(bad("\ncluster.shards=4\n"), "line 2: write section {");
  CHECK_CONTAINS(bad("presence { ttl=5x }\n"),
                 "is not in CAF's grammar: line 1, column 17: unexpected");
}

CAF_TEST(what_caf_would_lose_in_silence_is_refused) {
  CHECK_CONTAINS(bad("\nhttp {\n  port=1\n"),
                 "line 2: the brace of http is never closed");
  CHECK_CONTAINS(bad("http { port=1\nport=2 }\n"),
                 "line 2: http.port is given a second time");
  CHECK_CONTAINS(bad("http { port=1 }\nhttp { address=\"::1\" }\n"),
                 "line 2: http is given a second time");
  CHECK_CONTAINS(bad("[http]\nport=1\n[http]\nport=2\n"), "second time");
  CAF_CHECK_EQUAL(
      good("[http]\nport=1\n[log]\n[http]\naddress=\"::1\"\n").http.port, 1u);
  auto tricky = good("node { state-directory=\"a=b { # \\\" ; }\" } ; { # =\n"
                     "log { level='warn' }\n");
  CAF_CHECK_EQUAL(tricky.node.state_directory, "a=b { # \" ; }");
  CAF_CHECK_EQUAL(tricky.log.level, "warn");
}

CAF_TEST(a_missing_file_is_an_error) {
  auto result = load(directory.path + "/absent.conf");
  CAF_REQUIRE(std::holds_alternative<problems>(result));
  CHECK_CONTAINS(to_string(std::get<problems>(result).front()),
                 "cannot be read: No such file");
}

CAF_TEST(overrides_win_and_need_no_quotes) {
  auto config
      = good("log { level='warn' }\n",
             {"log.level=debug", "nats.url=nats://h:4222", "presence.ttl=1h",
              "outbox.bytes=4MiB", "node.name=\"n2\"", "http.port=81"});
  CAF_CHECK_EQUAL(config.log.level, "debug");
  CAF_CHECK_EQUAL(config.nats.url, "nats://h:4222");
  CAF_CHECK(config.presence.ttl == 1h);
  CAF_CHECK_EQUAL(config.outbox.bytes, 4u << 20);
  CAF_CHECK_EQUAL(config.node.name, "n2");
  CAF_CHECK_EQUAL(config.http.port, 81u);
}

CAF_TEST(combinations_are_checked) {
  CHECK_CONTAINS(bad("http { address=\"0.0.0.0\" }\n"),
                 "http.address = \"0.0.0.0\": reaches other machines");
  CHECK_CONTAINS(bad("http { address=\"10.0.0.1\" }\n"), "has no TLS");
  CAF_CHECK_EQUAL(good("http { address=\"::1\" }\n").http.address, "::1");
  CHECK_CONTAINS(bad("presence { ttl=10s }\n"), "a third of presence.ttl");
  CHECK_CONTAINS(bad("middleman { connection-timeout=600ms }\n"), "less than");
  CHECK_CONTAINS(bad("nats { stream-bytes-max=\"41GiB\" }\n"), "is more than");
  CHECK_CONTAINS(bad("nats { retention=1min }\n"), "duplicate-window");
  CHECK_CONTAINS(bad("", {"nats.url=tls://h", "nats.tls.key=k"}), "other way");
  CHECK_CONTAINS(bad("", {"nats.tls.enabled=true"}), "nats.url");
}

CAF_TEST(caf_takes_its_sections_over) {
  auto config = good("scheduler { max-threads=7, max-throughput=31 }\n"
                     "middleman { heartbeat-interval=123ms }\n");
  caf::actor_system_config system;
  CAF_CHECK_EQUAL(apply(config, system).value_or("none"), "none");
  CAF_CHECK_EQUAL(caf::get_or(system, "scheduler.max-threads", size_t{0}), 7u);
  CAF_CHECK_EQUAL(caf::get_or(system, "scheduler.max-throughput", size_t{0}),
                  31u);
  CAF_CHECK(
      caf::get_or(system, "middleman.heartbeat-interval", caf::timespan{0})
      == 123ms);
}

CAF_TEST_FIXTURE_SCOPE_END()
