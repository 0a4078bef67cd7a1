// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.metrics.exporter

#include "runtime/metrics/exporter.hpp"
#include "tests/runtime/boot/scratch_directory.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <atomic>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace fantail;

namespace {

/// Every sample of an exposition by its name and labels.
std::map<std::string, double> samples_of(const std::string& text) {
  std::map<std::string, double> result;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    auto space = line.rfind(' ');
    if (line.starts_with('#') || space == line.npos)
      continue;
    auto name = line.substr(0, space);
    CAF_REQUIRE(!result.contains(name));
    result[name] = std::strtod(line.c_str() + space, nullptr);
  }
  return result;
}

/// True for what must not fall: counters, and the parts of histograms.
bool is_cumulative(const std::string& sample) {
  auto name = sample.substr(0, sample.find('{'));
  return name.ends_with("_total") || name.ends_with("_bucket")
         || name.ends_with("_count") || name.ends_with("_sum");
}

/// What count_everything() becomes: each family with its type, and below it
/// its samples without the name of the family.
constexpr std::string_view golden = R"(
fanout_messages_processed_total counter
  {stream="FANTAIL_IN_0",result="routed"} 0
  {stream="FANTAIL_IN_1",result="routed"} 970
  {stream="FANTAIL_IN_1",result="unroutable"} 30
  {stream="FANTAIL_IN_1",result="rejected"} 4
fanout_messages_routed_total counter
  {target_instance="notif-000"} 16
  {target_instance="notif-002"} 1
fanout_batch_size histogram
  _bucket{le="1"} 0
  _bucket{le="10"} 2
  _bucket{le="500"} 2
  _bucket{le="+Inf"} 4
  _count 4
  _sum 1022
fanout_publishes_per_message histogram
  _bucket{le="2"} 0
  _bucket{le="5"} 10
  _sum 30
fanout_routing_latency_seconds histogram
  _bucket{operation="lookup",le="0.0001"} 4
  _bucket{operation="publish",le="0.0005"} 0
  _bucket{operation="publish",le="0.001"} 2
  _bucket{operation="total",le="0.001"} 0
  _bucket{operation="total",le="0.005"} 2
  _bucket{operation="total",le="+Inf"} 2
  _count{operation="lookup"} 4
  _sum{operation="total"} 0.004
fanout_batch_processing_latency_seconds histogram
  _bucket{le="0.01"} 0
  _bucket{le="0.05"} 2
fanout_presence_update_latency_seconds histogram
  _bucket{le="0.05"} 0
  _bucket{le="0.1"} 2
fanout_mailbox_wait_seconds histogram
  _bucket{actor="puller",le="1e-05"} 0
  _bucket{actor="puller",le="0.0001"} 1
fanout_presence_updates_total counter
  18
fanout_presence_rejected_total counter
  2
fanout_presence_zombies gauge
  4
fanout_membership_cache_users gauge
  0
fanout_membership_cache_memberships gauge
  0
fanout_membership_cache_hits_total counter
  0
fanout_membership_cache_misses_total counter
  0
fanout_membership_cache_evictions_total counter
  0
fanout_members_store_bytes gauge
  0
fanout_members_store_live_bytes gauge
  0
fanout_members_dirty_bytes gauge
  0
fanout_members_lost_total counter
  0
fanout_users_online gauge
  200
fanout_sessions_online gauge
  240
fanout_routing_table_channels gauge
  100
fanout_routing_table_users gauge
  120
fanout_routing_table_bytes gauge
  14000
fanout_jetstream_consumer_lag gauge
  {stream="FANTAIL_IN_1",consumer="routing_shard"} 12
fanout_shard_settled_position gauge
  {stream="FANTAIL_IN_1"} 990
fanout_positions_lost_total counter
  {stream="FANTAIL_IN_1"} 17
fanout_events_dropped_total counter
  {class="important",reason="queue_overflow"} 10
  {class="best-effort",reason="queue_overflow"} 12
fanout_instances_lagging_total counter
  6
fanout_messages_rejected_total counter
  {source="ack",reason="malformed"} 2
fanout_events_total counter
  {event="control/disconnected"} 3
process_resident_memory_bytes gauge
process_cpu_seconds_total counter
process_open_fds gauge
process_start_time_seconds gauge
)";

/// The same as lines of the text format.
std::vector<std::string> lines_of(std::string_view families) {
  std::vector<std::string> result;
  std::string family;
  std::istringstream in{std::string{families}};
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("  ")) {
      auto is_bare = std::isdigit(static_cast<unsigned char>(line[2])) != 0;
      result.push_back(family + (is_bare ? " " : "") + line.substr(2));
    } else if (!line.empty()) {
      family = line.substr(0, line.find(' '));
      result.push_back("# TYPE " + line);
    }
  }
  return result;
}

struct fixture {
  telemetry::node counts{2, 2, 2};
  instance_directory instances;
  exporter metrics{counts, instances};

  std::map<std::string, double> samples() {
    return samples_of(metrics.render());
  }
  double sample(const std::string& name) { return samples().at(name); }

  /// One of everything a node can count, each with a number of its own.
  void count_everything() {
    for (auto* name : {"notif-000", "notif-001", "notif-002"})
      instances.intern(name);
    auto& shard = counts.shard[1];
    shard.events.set(1000);
    shard.unroutable.set(30);
    shard.rejected.set(4);
    shard.lost_positions.set(17);
    shard.settled_to.set(990);
    shard.lag.set(12);
    for (auto& x : counts.shard) {
      x.table_channels.add(50);
      x.table_users.add(60);
      x.table_bytes.add(7000);
      x.batch_size.record(10);
      x.batch_size.record(501);
      x.publishes_per_message.record(3, 5);
      x.lookup.record(90'000, 2);
      x.batch.record(20'000'000);
    }
    for (auto& x : counts.presence) {
      x.updates.add(9);
      x.rejected.add(1);
      x.users_online.add(100);
      x.sessions.add(120);
      x.zombies.add(2);
      x.update.record(60'000'000);
    }
    for (auto& x : counts.egress) {
      x.routed[0].add(8);
      x.dropped_best_effort.add(6);
      x.dropped_important.add(5);
      x.lagging.add(3);
      x.total.record(2'000'000);
      x.publish.record(700'000);
    }
    counts.egress[1].routed[2].add(1);
    counts.rejected.add("ack/malformed", 2);
    counts.events.add("control/disconnected", 3);
    counts.waits.record("puller", 50'000);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(exporter_tests, fixture)

CAF_TEST(every_number_is_shown_under_its_contracted_name) {
  count_everything();
  auto text = metrics.render();
  for (auto& line : lines_of(golden))
    if (text.find("\n" + line + "\n") == text.npos)
      CAF_ERROR("missing: " << line);
  // An instance nothing was routed to would only cost memory at the reader.
  CAF_CHECK(text.find("notif-001") == text.npos);
}

CAF_TEST(the_buckets_are_those_of_the_contract) {
  counts.waits.record("egress", 1);
  std::map<std::string, std::string> borders;
  std::istringstream in{metrics.render()};
  for (std::string line; std::getline(in, line);) {
    auto le = line.find("le=\"");
    if (le == line.npos)
      continue;
    auto end = line.find('"', le + 4);
    borders[line.substr(0, le)] += line.substr(le + 4, end - le - 4) + " ";
  }
  std::map<std::string, std::string> expected{
      {"fanout_batch_size_bucket{", "1 10 50 100 200 500 +Inf "},
      {"fanout_publishes_per_message_bucket{", "1 2 5 10 20 50 100 +Inf "},
      {"fanout_batch_processing_latency_seconds_bucket{",
       "0.001 0.005 0.01 0.05 0.1 0.5 1 +Inf "},
      {"fanout_presence_update_latency_seconds_bucket{",
       "0.001 0.01 0.05 0.1 0.5 1 5 +Inf "},
      {"fanout_mailbox_wait_seconds_bucket{actor=\"egress\",",
       "1e-05 0.0001 0.001 0.01 0.1 +Inf "},
  };
  for (std::string operation : {"lookup", "publish", "total"})
    expected["fanout_routing_latency_seconds_bucket{operation=\"" + operation
             + "\","]
        = "0.0001 0.0005 0.001 0.005 0.01 0.05 0.1 +Inf ";
  CAF_CHECK_EQUAL(borders, expected);
}

CAF_TEST(a_bucket_keeps_its_count_when_something_slower_comes) {
  // Less than 100 us, but in the histogram's bucket that ends behind it.
  counts.egress[0].total.record(99'500);
  auto name = "fanout_routing_latency_seconds_bucket{operation=\"total\","
              "le=\"0.0001\"}";
  auto before = sample(name);
  counts.egress[0].total.record(5'000'000'000);
  CAF_CHECK_EQUAL(sample(name), before);
}

CAF_TEST(routed_events_do_not_fall_when_a_pull_is_seen_half_counted) {
  auto name = "fanout_messages_processed_total{stream=\"FANTAIL_IN_0\","
              "result=\"routed\"}";
  counts.shard[0].events.set(500);
  CAF_CHECK_EQUAL(sample(name), 500);
  counts.shard[0].unroutable.set(100);
  CAF_CHECK_EQUAL(sample(name), 500);
  counts.shard[0].events.set(1000);
  CAF_CHECK_EQUAL(sample(name), 900);
}

CAF_TEST(nothing_falls_while_it_is_being_counted) {
  auto seed = test_seed();
  std::atomic<bool> is_done = false;
  std::thread writer{[&] {
    std::mt19937_64 random{seed};
    auto& shard = counts.shard[0];
    while (!is_done) {
      auto events = random() % 500;
      shard.events.add(events);
      shard.unroutable.add(random() % (events + 1));
      shard.batch_size.record(events);
      shard.publishes_per_message.record(random() % 120);
      auto latency = static_cast<int64_t>(random() >> (34 + random() % 30));
      shard.lookup.record(latency, events);
      counts.egress[1].total.record(latency);
      counts.waits.record("egress", latency);
    }
  }};
  auto last = samples();
  for (int i = 0; i < 200; ++i) {
    auto now = samples();
    for (auto& [name, value] : last)
      if (is_cumulative(name) && now.at(name) < value)
        CAF_ERROR(name << " fell from " << value << " to " << now.at(name));
    last = std::move(now);
  }
  is_done = true;
  writer.join();
}

CAF_TEST(the_buckets_of_a_histogram_rise) {
  std::mt19937_64 random{test_seed()};
  for (int i = 0; i < 10'000; ++i) {
    auto value = random() >> (20 + random() % 44);
    counts.shard[i % 2].lookup.record(static_cast<int64_t>(value));
    counts.shard[i % 2].batch_size.record(value % 600);
  }
  double last = 0;
  std::string family;
  size_t seen = 0;
  std::istringstream in{metrics.render()};
  for (std::string line; std::getline(in, line);) {
    auto le = line.find("le=\"");
    if (le == line.npos)
      continue;
    auto value = std::strtod(line.c_str() + line.rfind(' '), nullptr);
    CAF_CHECK(line.substr(0, le) != family || value >= last);
    family = line.substr(0, le);
    last = value;
    ++seen;
  }
  CAF_CHECK(seen > 40);
}

CAF_TEST(promtool_finds_nothing_to_blame) {
  if (std::system("promtool --version >/dev/null 2>&1") != 0) {
    if (std::getenv("CI"))
      CAF_FAIL("promtool is missing: install the package prometheus");
    CAF_MESSAGE("promtool is not installed (package prometheus); skipped");
    return;
  }
  count_everything();
  scratch_directory scratch;
  auto file = scratch.path + "/metrics";
  std::ofstream{file} << metrics.render();
  auto command = "promtool check metrics <'" + file + "' 2>&1";
  auto* output = popen(command.c_str(), "r");
  CAF_REQUIRE(output != nullptr);
  std::string blame;
  for (int c; (c = fgetc(output)) != EOF;)
    blame += static_cast<char>(c);
  CAF_CHECK_EQUAL(pclose(output), 0);
  CAF_CHECK_EQUAL(blame, "");
}

CAF_TEST_FIXTURE_SCOPE_END()
