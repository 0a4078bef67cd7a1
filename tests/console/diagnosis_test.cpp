// SPDX-License-Identifier: MIT
#define CAF_SUITE console.diagnosis

#include "console/diagnosis/diagnosis.hpp"
#include "console/diagnosis/metrics_text.hpp"
#include "tests/console/answers.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <cmath>

using namespace fantail;
using namespace fantail::console;

namespace {

/// 100 events: so many of them below each border.
std::string latencies(int below_1ms, int below_100ms, int all,
                      const char* operation = "total") {
  auto line = [&](const char* border, int count) {
    return std::string{"fanout_routing_latency_seconds_bucket{operation=\""}
           + operation + "\",le=\"" + border + "\"} " + std::to_string(count)
           + "\n";
  };
  return line("0.001", below_1ms) + line("0.1", below_100ms)
         + line("+Inf", all);
}

observation quiet_node() {
  observation x;
  x.before.node = test::answer("/api/v1/node");
  x.before.shards = test::answer("/api/v1/shards");
  x.after = x.before;
  x.before.metrics = latencies(0, 0, 0);
  x.after.metrics = latencies(100, 100, 100);
  x.window_seconds = 2;
  x.actors = test::answer("/api/v1/actors");
  x.now_unix_ns = 1763726400123456789 + 3'600'000'000'000;
  return x;
}

finding about(const std::string& topic, const observation& x) {
  for (auto& f : diagnose(x))
    if (f.topic == topic)
      return f;
  CAF_FAIL("no finding about " << topic);
}

bool has_evidence(const finding& x, std::string_view part) {
  return std::any_of(x.evidence.begin(), x.evidence.end(),
                     [&](auto& line) { return line.find(part) != line.npos; });
}

json::value channel(const char* name, double share, int64_t members) {
  return json::object{{"name", name},
                      {"shard", 3},
                      {"members", members},
                      {"fanout", 80},
                      {"events_per_second", 200.0},
                      {"cost_per_second", 16000.0},
                      {"cost_share", share}};
}

json::value channels(json::array all) {
  return json::object{{"channels", std::move(all)}};
}

} // namespace

CAF_TEST(histograms_are_read_and_compared) {
  auto page = latencies(1, 2, 3) + "# HELP x\n" + latencies(4, 5, 6, "lookup")
              + "fanout_routing_latency_seconds_bucket{broken\n";
  auto found
      = read_histograms(page, "fanout_routing_latency_seconds", "operation");
  CAF_CHECK_EQUAL(found.size(), 2u);
  CAF_CHECK_EQUAL(found["total"].count(), 3.0);
  auto before = found["total"];
  auto after = found["lookup"];
  CAF_CHECK_EQUAL(between(before, after).count(), 3.0);
  // A node that was started in between has counted less.
  CAF_CHECK_EQUAL(between(after, before).count(), 3.0);
  CAF_CHECK_EQUAL(border_of(before, 0.3).value_or(-1), 0.001);
  CAF_CHECK_EQUAL(border_of(before, 0.6).value_or(-1), 0.1);
  CAF_CHECK(std::isinf(border_of(before, 0.99).value_or(-1)));
  CAF_CHECK(!border_of({}, 0.5));
}

CAF_TEST(a_quiet_node_is_well) {
  for (auto& x : diagnose(quiet_node())) {
    CAF_MESSAGE(x.topic << ": " << x.summary);
    CAF_CHECK(x.is == verdict::good);
    CAF_CHECK(!x.summary.empty());
    CAF_CHECK(x.advice.empty());
  }
  auto lines = show_findings(diagnose(quiet_node()), {}).lines;
  CAF_CHECK_EQUAL(lines[0], "All is well.");
}

CAF_TEST(latency_is_judged_by_what_happened_lately) {
  auto x = quiet_node();
  // Bad once, good now.
  x.before.metrics = latencies(0, 0, 1000);
  x.after.metrics = latencies(100, 100, 1100);
  CAF_CHECK(about("latency", x).is == verdict::good);
  x.after.metrics = latencies(0, 100, 1100);
  CAF_CHECK(about("latency", x).is == verdict::alarm);
  x.after.metrics = x.before.metrics;
  CAF_CHECK_EQUAL(about("latency", x).summary, "no event was routed over 2 s");
}

CAF_TEST(lag_names_the_shard_and_who_is_to_blame) {
  auto x = quiet_node();
  test::set(x.after.node, {"totals", "lag"}, 25'000);
  test::set(x.after.shards, {"shards", "0", "lag"}, 25'000);
  test::set(x.actors, {"actors", "0", "state"}, "suspended");
  auto found = about("lag", x);
  CAF_CHECK(found.is == verdict::alarm);
  CAF_CHECK_EQUAL(found.summary, "25,000 events are not settled, and the lag "
                                 "grows by 12,489/s");
  CAF_CHECK(has_evidence(found, "shard 3: 25,000 events, +12,489/s"));
  CAF_CHECK(has_evidence(found, "routing/shard-3 is suspended"));
  CAF_CHECK_EQUAL(found.advice, "resume routing/shard-3");
  CAF_CHECK_EQUAL(found.target, "actor routing/shard-3");
}

CAF_TEST(a_shard_that_does_not_work_does_not_count_its_lag) {
  auto x = quiet_node();
  test::set(x.after.shards, {"shards", "0", "state"}, "stuck");
  test::set(x.actors, {"actors", "0", "state"}, "stuck");
  auto found = about("lag", x);
  CAF_CHECK(found.is == verdict::notice);
  CAF_CHECK(has_evidence(found, "shard 3: its lag is as it was"));
  CAF_CHECK(has_evidence(found, "routing/shard-3 is stuck"));
}

CAF_TEST(lag_of_a_shard_that_was_restarted) {
  auto x = quiet_node();
  test::set(x.after.node, {"totals", "lag"}, 2'000);
  test::set(x.after.shards, {"shards", "0", "lag"}, 2'000);
  x.now_unix_ns = 1763726339123456789 + 60'000'000'000;
  auto found = about("lag", x);
  CAF_CHECK(found.is == verdict::notice);
  CAF_CHECK(has_evidence(found, "routing/shard-3 ended 1m ago, back after "
                                "400 µs: runtime_error"));
}

CAF_TEST(lag_because_of_nats) {
  auto x = quiet_node();
  test::set(x.after.node, {"totals", "lag"}, 2'000);
  test::set(x.after.node, {"components", "0", "status"}, "failing");
  test::set(x.after.node, {"components", "0", "detail"}, "no answer");
  auto found = about("lag", x);
  CAF_CHECK(has_evidence(found, "presence is failing: no answer"));
  CAF_CHECK_EQUAL(found.advice, "look after NATS first");
  CAF_CHECK(about("node", x).is == verdict::alarm);
  // The lag that is known is as old as the connection.
  x.after.node = test::answer("/api/v1/node");
  test::set(x.after.node, {"components", "0", "status"}, "failing");
  found = about("lag", x);
  CAF_CHECK(found.is == verdict::notice);
  CAF_CHECK(found.summary.ends_with("NATS cannot be asked"));
}

CAF_TEST(waits_name_the_longest_mailbox_and_the_busiest_actor) {
  auto x = quiet_node();
  x.before.metrics += "fanout_mailbox_wait_seconds_bucket{actor=\"egress\","
                      "le=\"0.01\"} 0\n"
                      "fanout_mailbox_wait_seconds_bucket{actor=\"egress\","
                      "le=\"+Inf\"} 0\n";
  x.after.metrics += "fanout_mailbox_wait_seconds_bucket{actor=\"egress\","
                     "le=\"0.01\"} 10\n"
                     "fanout_mailbox_wait_seconds_bucket{actor=\"egress\","
                     "le=\"+Inf\"} 100\n";
  test::set(x.actors, {"actors", "0", "busy_ratio"}, 0.95);
  auto found = about("waits", x);
  CAF_CHECK(found.is == verdict::alarm);
  CAF_CHECK_EQUAL(found.summary,
                  "messages waited beyond the largest bucket (p99 over 2 s), "
                  "longest at egress");
  CAF_CHECK(has_evidence(found, "longest mailbox now: routing/shard-3 with 4"));
  CAF_CHECK(has_evidence(found, "routing/shard-3 is 95 % busy"));
}

CAF_TEST(the_hottest_channel_is_always_named) {
  auto x = quiet_node();
  x.hottest = channels({channel("general", 0.1, 12)});
  auto found = about("channels", x);
  CAF_CHECK(found.is == verdict::good);
  CAF_CHECK_EQUAL(found.summary, "none is hot; the hottest is \"general\" with "
                                 "10 % of all deliveries");
  x.hottest = channels({channel("general", 0.8, 12)});
  found = about("channels", x);
  CAF_CHECK(found.is == verdict::notice);
  CAF_CHECK_EQUAL(found.target, "route explain general");
}

CAF_TEST(a_channel_with_too_many_members_should_be_split) {
  auto x = quiet_node();
  x.largest = channels({channel("general", 0.1, 50'000)});
  CAF_CHECK(about("size", x).is == verdict::good);
  x.largest = channels({channel("general", 0.1, 50'001)});
  auto found = about("size", x);
  CAF_CHECK(found.is == verdict::notice);
  CAF_CHECK(found.advice.find("split it") != std::string::npos);
}

CAF_TEST(memory_names_users_zombies_and_the_cache) {
  auto x = quiet_node();
  test::set(x.after.node, {"memory", "resident_bytes"}, 4'000'000'000);
  test::set(x.after.shards, {"presence_shards", "0", "zombies"}, 7);
  x.cache = json::object{
      {"Memberships", 1200}, {"MembershipsMax", 1000}, {"Bytes", 4800}};
  auto found = about("memory", x);
  CAF_CHECK(found.is == verdict::notice);
  CAF_CHECK(found.summary.starts_with("3.7 GiB of 4 GiB (93 %), growing by"));
  CAF_CHECK(has_evidence(found, "73,000 users online, 500,000 channels"));
  CAF_CHECK(has_evidence(found, "7 zombies"));
  CAF_CHECK(has_evidence(found, "1,200 of 1,000 memberships"));
  CAF_CHECK(has_evidence(found, "beyond its bound"));
  CAF_CHECK(has_evidence(found, "routing/shard-3 takes 46 MiB"));
}

CAF_TEST(what_an_answer_lacks_does_no_harm) {
  observation nothing;
  auto findings = diagnose(nothing);
  CAF_CHECK_EQUAL(findings.size(), 11u);
  CAF_CHECK(!show_findings(findings, {}).lines.empty());
}

CAF_TEST(findings_are_json_too) {
  auto x = quiet_node();
  test::set(x.after.node, {"totals", "lost_positions"}, 3);
  auto findings = diagnose(x);
  auto all = findings_as_json(findings);
  CAF_CHECK_EQUAL(all.string_or("verdict", ""), "bad");
  CAF_CHECK_EQUAL(all.find("findings")->if_array()->size(), findings.size());
}
