// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.membership

#include "tests/integration/clients.hpp"

#include "caf/test/unit_test.hpp"

#include <atomic>

using namespace fantail;
using namespace fantail::test;

namespace {

/// Channels of a user, with names of 14 bytes.
clients::names channels_of(int user, int count) {
  clients::names result;
  for (int i = 0; i < count; ++i) {
    char text[32];
    std::snprintf(text, sizeof text, "ch_%05d_%05d", user, i);
    result.emplace_back(text);
  }
  return result;
}

int64_t cache_stat(node_process& node, std::string_view key) {
  auto answer = node.get("/debug/cache-stats");
  auto stats = answer ? json::parse(answer->body) : std::nullopt;
  return stats ? stats->int_or(key, -1) : -1;
}

/// Whether an event to the channel reaches the instance.
bool is_member(clients& talk, receiver& at, const std::string& channel) {
  return at.receives(talk.publish(channel));
}

} // namespace

CAF_TEST(a user with twenty thousand channels survives eviction and kill) {
  node_process node{
      {"presence.cache-memberships=0", "presence.dirty-bytes=1KiB"}};
  CAF_REQUIRE(node.start_and_wait());
  clients talk{node.nats_url()};
  receiver at{talk, "notif-0", delivery_format::single};
  for (int size : {10'000, 20'000}) {
    auto user = "usr_" + std::to_string(size);
    auto channels = channels_of(size, size);
    CAF_REQUIRE(talk.online(user, "s1", "notif-0", channels));
    CAF_CHECK(is_member(talk, at, channels.front()));
    CAF_CHECK(is_member(talk, at, channels.back()));
    CAF_REQUIRE(talk.offline(user, "s1"));
    CAF_REQUIRE(eventually([&] {
      return cache_stat(node, "Memberships") == 0
             && node.stats().int_or("Memberships", -1) == 0;
    }));
    CAF_REQUIRE(talk.online(user, "s2", "notif-0", {}));
    CAF_CHECK(is_member(talk, at, channels.front()));
    CAF_CHECK(is_member(talk, at, channels.back()));
    CAF_REQUIRE(talk.offline(user, "s2"));
  }
  CAF_REQUIRE(
      eventually([&] { return node.stats().int_or("Memberships", -1) == 0; }));
  node.kill_node();
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK_EQUAL(node.stats().int_or("Memberships", -1), 0);
  for (int size : {10'000, 20'000}) {
    auto channels = channels_of(size, size);
    CAF_REQUIRE(
        talk.online("usr_" + std::to_string(size), "s3", "notif-0", {}));
    CAF_CHECK(is_member(talk, at, channels[size / 2]));
  }
  CAF_CHECK_EQUAL(node.stats().int_or("Memberships", -1), 30'000);
  CAF_CHECK_EQUAL(cache_stat(node, "Misses"), 2);
}

CAF_TEST(a channel with a hundred thousand members reaches each instance once) {
  constexpr int users = 100'000;
  constexpr int instances = 4;
  node_process node;
  CAF_REQUIRE(node.start_and_wait());
  clients talk{node.nats_url()};
  std::deque<receiver> at;
  for (int i = 0; i < instances; ++i)
    at.emplace_back(talk, "notif-" + std::to_string(i),
                    delivery_format::single);
  std::atomic<int> joined = 0;
  for (int i = 0; i < users; ++i) {
    while (talk.presence.unanswered() > 2'000)
      std::this_thread::sleep_for(1ms);
    talk.presence.online(
        "usr_" + std::to_string(i), "s1",
        "notif-" + std::to_string(i % instances), list_of({"everybody"}),
        [&joined](auto& answer) { joined += answer.has_value(); });
  }
  CAF_REQUIRE(eventually([&] { return joined == users; }, 120s));
  auto id = talk.publish("everybody");
  for (auto& x : at) {
    CAF_CHECK(x.receives(id));
    CAF_CHECK_EQUAL(x.count(id), 1u);
  }
  auto stats = node.stats();
  CAF_CHECK_EQUAL(stats.int_or("TotalUsers", -1), users);
  CAF_CHECK_EQUAL(stats.int_or("Memberships", -1), users);
}

CAF_TEST(evicted users are exact again after coming back) {
  constexpr int users = 60;
  constexpr int channels = 20;
  node_process node{
      {"presence.cache-memberships=200", "presence.dirty-bytes=1KiB"}};
  CAF_REQUIRE(node.start_and_wait());
  clients talk{node.nats_url()};
  receiver at{talk, "notif-0", delivery_format::single};
  for (int i = 0; i < users; ++i) {
    auto user = "usr_" + std::to_string(i);
    CAF_REQUIRE(talk.online(user, "s1", "notif-0", channels_of(i, channels)));
    CAF_REQUIRE(talk.offline(user, "s1"));
  }
  CAF_REQUIRE(
      eventually([&] { return cache_stat(node, "Memberships") <= 200; }));
  CAF_CHECK(cache_stat(node, "Evictions") >= 40);
  // One of the channels is changed while the rows are away.
  CAF_REQUIRE(talk.join("usr_0", {"added"}));
  CAF_REQUIRE(talk.leave("usr_1", {channels_of(1, 1)[0]}));
  node.kill_node();
  CAF_REQUIRE(node.start_and_wait());
  for (int i = 0; i < users; ++i)
    CAF_REQUIRE(talk.online("usr_" + std::to_string(i), "s2", "notif-0", {}));
  CAF_CHECK_EQUAL(node.stats().int_or("Memberships", -1), users * channels);
  CAF_CHECK(cache_stat(node, "Misses") >= 40);
  CAF_CHECK(cache_stat(node, "Hits") >= 1);
  CAF_CHECK(is_member(talk, at, "added"));
  CAF_CHECK(is_member(talk, at, channels_of(7, channels)[3]));
  auto gone = talk.publish(channels_of(1, 1)[0]);
  CAF_CHECK(is_member(talk, at, channels_of(1, channels)[1]));
  CAF_CHECK_EQUAL(at.count(gone), 0u);
}
