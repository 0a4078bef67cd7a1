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

/// As it was up to a second ago.
int64_t cache_stat(node_process& node, std::string_view key) {
  auto answer = node.get("/debug/cache-stats");
  auto stats = answer ? json::parse(answer->body) : std::nullopt;
  return stats ? stats->int_or(key, -1) : -1;
}

/// Whether an event to the channel reaches the instance.
bool is_member(clients& talk, receiver& at, const std::string& channel) {
  return at.receives(talk.publish(channel));
}

/// Whether every presence log that has records has lost its first ones.
bool is_trimmed(clients& talk) {
  for (int shard = 0; shard < 8; ++shard) {
    auto answer = talk.via.request_wait("$JS.API.STREAM.INFO.FANTAIL_PRESENCE_"
                                            + std::to_string(shard),
                                        "{}", 5s);
    auto info = answer ? json::parse(*answer) : std::nullopt;
    auto* state = info ? info->find("state") : nullptr;
    if (!state || state->int_or("first_seq", 0) <= 1)
      return false;
  }
  return true;
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
  CAF_CHECK(eventually([&] { return cache_stat(node, "Misses") == 2; }));
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
  CAF_REQUIRE(eventually([&] {
    return cache_stat(node, "Evictions") >= 40
           && cache_stat(node, "Memberships") <= 200;
  }));
  // One of the channels is changed while the rows are away.
  CAF_REQUIRE(talk.join("usr_0", {"added"}));
  CAF_REQUIRE(talk.leave("usr_1", {channels_of(1, 1)[0]}));
  node.kill_node();
  CAF_REQUIRE(node.start_and_wait());
  for (int i = 0; i < users; ++i)
    CAF_REQUIRE(talk.online("usr_" + std::to_string(i), "s2", "notif-0", {}));
  CAF_CHECK_EQUAL(node.stats().int_or("Memberships", -1), users * channels);
  CAF_CHECK(eventually([&] {
    return cache_stat(node, "Misses") >= 40 && cache_stat(node, "Hits") >= 1;
  }));
  CAF_CHECK(is_member(talk, at, "added"));
  CAF_CHECK(is_member(talk, at, channels_of(7, channels)[3]));
  auto gone = talk.publish(channels_of(1, 1)[0]);
  CAF_CHECK(is_member(talk, at, channels_of(1, channels)[1]));
  CAF_CHECK_EQUAL(at.count(gone), 0u);
}

CAF_TEST(a routing shard without a snapshot is told everything anew) {
  constexpr int users = 40;
  constexpr int channels = 25;
  node_process node{{"presence.dirty-bytes=1KiB", "presence.snapshot-records=5",
                     "presence.snapshot-interval=200ms"}};
  CAF_REQUIRE(node.start_and_wait());
  clients talk{node.nats_url()};
  receiver at{talk, "notif-0", delivery_format::single};
  for (int i = 0; i < users; ++i)
    CAF_REQUIRE(talk.online("usr_" + std::to_string(i), "s1", "notif-0",
                            channels_of(i, channels)));
  for (int i = 0; i < users; i += 2)
    CAF_REQUIRE(talk.join("usr_" + std::to_string(i), {"everybody"}));
  // Logs are trimmed behind two rounds of snapshots, so they have to grow.
  CAF_REQUIRE(eventually([&] {
    for (int i = 0; i < users; ++i)
      talk.join("usr_" + std::to_string(i), {"extra"});
    return is_trimmed(talk);
  }));
  auto before = node.stats();
  // Of half of the routing shards nothing is left.
  for (int shard = 0; shard < 8; shard += 2)
    CAF_REQUIRE(talk.via.request_wait("$JS.API.STREAM.DELETE.FANTAIL_SNAP_R_"
                                          + std::to_string(shard),
                                      "{}", 5s));
  node.kill_node();
  CAF_REQUIRE(node.start_and_wait());
  CAF_CHECK(node.log().find("routing-shards-told-anew") != std::string::npos);
  auto after = node.stats();
  for (auto* key : {"TotalChannels", "TotalUsers", "Memberships"})
    CAF_CHECK_EQUAL(after.int_or(key, -1), before.int_or(key, -2));
  CAF_CHECK_EQUAL(after.string_or("Digest", "a"),
                  before.string_or("Digest", "b"));
  for (int i = 0; i < users; i += 7)
    CAF_CHECK(is_member(talk, at, channels_of(i, channels)[i % channels]));
  CAF_CHECK(is_member(talk, at, "everybody"));
}
