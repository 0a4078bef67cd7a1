// SPDX-License-Identifier: MIT
#define CAF_SUITE api.routing_stats

#include "api/routing_stats.hpp"
#include "tests/api/inspected_node.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

namespace {

json::value stats_with(size_t top) {
  inspected_node node;
  return routing_stats(*node.inspect(top), node.counts, node.instances);
}

std::string member(const json::value& x, std::string_view key) {
  auto* found = x.find(key);
  return found ? json::serialize(*found) : "absent";
}

} // namespace

CAF_TEST(sums_go_over_all_shards) {
  auto x = stats_with(10);
  CAF_CHECK_EQUAL(x.int_or("TotalChannels", -1), 100);
  CAF_CHECK_EQUAL(x.int_or("TotalUsers", -1), 200);
  CAF_CHECK_EQUAL(x.int_or("Sessions", -1), 260);
  CAF_CHECK_EQUAL(x.int_or("ZombieUsers", -1), 6);
  CAF_CHECK_EQUAL(x.int_or("Memberships", -1), 400);
  CAF_CHECK_EQUAL(x.int_or("TableBytes", -1), 5000);
  CAF_CHECK_EQUAL(x.find("BytesPerMembership")->as_double().value_or(0), 12.5);
  CAF_CHECK_EQUAL(member(x, "ChannelsBySize"),
                  R"({"100-1K":10,"10K+":1,"1K-10K":2,"<100":87})");
}

CAF_TEST(the_digest_is_the_sum_modulo_two_to_the_64) {
  CAF_CHECK_EQUAL(stats_with(1).string_or("Digest", ""), "000000000000000f");
}

CAF_TEST(the_largest_channels_of_all_shards_come_first) {
  CAF_CHECK_EQUAL(member(stats_with(2), "TopChannels"),
                  R"([{"Channel":"general","Instances":3,"Members":20000},)"
                  R"({"Channel":"random","Instances":3,"Members":5000}])");
  auto x = stats_with(5);
  auto* top = x.find("TopChannels")->if_array();
  CAF_REQUIRE(top && top->size() == 5);
  CAF_CHECK_EQUAL((*top)[2].string_or("Channel", ""), "busy");
  CAF_CHECK_EQUAL((*top)[3].string_or("Channel", ""), "tie-a");
  CAF_CHECK_EQUAL((*top)[4].string_or("Channel", ""), "tie-b");
  CAF_CHECK_EQUAL(stats_with(100).find("TopChannels")->if_array()->size(), 6u);
}

CAF_TEST(the_distribution_counts_sessions_and_says_so) {
  CAF_CHECK_EQUAL(member(stats_with(1), "InstanceDistribution"),
                  R"({"notif-000":{"Sessions":200},)"
                  R"("notif-002":{"Sessions":60}})");
}

CAF_TEST(shards_and_instances_are_sorted) {
  auto x = stats_with(1);
  CAF_CHECK_EQUAL(
      member(x, "Shards"),
      R"([{"Channels":60,"Departures":0,"Epoch":3,"Lag":0,"RoutedTo":1041,)"
      R"("SettledTo":1040,"Shard":0},)"
      R"({"Channels":40,"Departures":5,"Epoch":4,"Lag":7,"RoutedTo":80,)"
      R"("SettledTo":73,"Shard":1}])");
  CAF_CHECK_EQUAL(
      member(x, "Instances"),
      R"([{"Format":"single","Incarnation":"","Lagging":false,)"
      R"("Name":"notif-000","PendingBytes":0,"PendingEvents":0,)"
      R"("UnacknowledgedBytes":0},)"
      R"({"Format":"frame","Incarnation":"i-7f3a","Lagging":true,)"
      R"("Name":"notif-002","PendingBytes":3400,"PendingEvents":12,)"
      R"("UnacknowledgedBytes":560}])");
}

CAF_TEST(an_empty_node_divides_by_nothing) {
  telemetry::node counts{1, 1, 1};
  instance_directory instances;
  inspection nothing{0, 10};
  auto x = routing_stats(nothing, counts, instances);
  CAF_CHECK_EQUAL(x.find("BytesPerMembership")->as_double().value_or(-1), 0.0);
  CAF_CHECK_EQUAL(member(x, "TopChannels"), "[]");
  CAF_CHECK_EQUAL(member(x, "InstanceDistribution"), "{}");
}
