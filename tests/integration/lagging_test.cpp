// SPDX-License-Identifier: MIT
#define CAF_SUITE integration.lagging

#include "tests/integration/raw_instance.hpp"

#include "caf/test/unit_test.hpp"

#include <atomic>

using namespace fantail;
using namespace fantail::test;

namespace {

constexpr auto* channel = raw_instance::channel;
const auto shard = raw_instance::shard;

struct fixture {
  node_process node{{"outbox.window-bytes=1MiB"}};
  std::optional<clients> talk;
  std::optional<receiver> quick;
  std::optional<raw_instance> slow;

  fixture() {
    CAF_REQUIRE(node.start_and_wait());
    talk.emplace(node.nats_url());
    quick.emplace(*talk, "quick", delivery_format::frame);
    slow.emplace(*talk, "slow");
    CAF_REQUIRE(quick->is_registered());
    CAF_REQUIRE(slow->begin());
    CAF_REQUIRE(talk->online("ada", "a1", "quick", {channel}));
    CAF_REQUIRE(talk->online("bob", "b1", "slow", {channel}));
  }

  ~fixture() { CAF_CHECK_EQUAL(node.stop(), 0); }

  std::vector<std::string> publish_many(int count) {
    std::vector<std::string> result;
    for (int i = 0; i < count; ++i)
      result.push_back(talk->publish(channel, std::string(10'000, 'x')));
    return result;
  }

  /// The same at a pace that a healthy instance keeps up with.
  std::vector<std::string> publish_gently(int count) {
    std::vector<std::string> result;
    for (int i = 0; i < count; i += 40) {
      auto part = publish_many(40);
      CAF_REQUIRE(quick->receives(part.back()));
      // Its next acknowledgement is due every 100 ms.
      std::this_thread::sleep_for(200ms);
      result.insert(result.end(), part.begin(), part.end());
    }
    return result;
  }

  std::string range(uint64_t from, uint64_t to, uint16_t of = shard.value) {
    return encode(
        range_request{"life-1", shard_id{of}, position{from}, position{to}});
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(lagging_tests, fixture)

CAF_TEST(who does not acknowledge lags alone and catches up exactly) {
  auto published = publish_gently(400);
  CAF_CHECK(quick->ids() == published);
  CAF_REQUIRE(eventually(
      [&] { return slow->lags_behind() == position{published.size()}; }));
  CAF_CHECK(slow->ids().size() < published.size());
  CAF_CHECK_EQUAL(node.metric("fanout_instances_lagging_total"), 1.0);
  CAF_REQUIRE(slow->catch_up(*slow->lags_behind()));
  CAF_CHECK(slow->ids() == published);
  slow->acknowledge();
  CAF_CHECK(eventually([&] { return node.has_logged("instance-live"); }));
  auto live = talk->publish(channel);
  published.push_back(live);
  CAF_CHECK(eventually([&] { return slow->ids() == published; }));
  CAF_CHECK_EQUAL(slow->gaps(), 0u);
}

CAF_TEST(a burst beyond the window arrives though nothing follows it) {
  auto published = publish_many(400);
  CAF_REQUIRE(talk->all_stored());
  CAF_CHECK(quick->receives(published.back()));
  CAF_CHECK(quick->ids() == published);
}

CAF_TEST(a range is refused in the words of the protocol) {
  publish_many(3);
  CAF_REQUIRE(talk->all_stored());
  CAF_CHECK_EQUAL(slow->refusal_of(range(0, 3)), "");
  CAF_CHECK_EQUAL(slow->refusal_of(range(0, 3, 8)), "unknown_shard");
  CAF_CHECK_EQUAL(slow->refusal_of(range(0, 3, 999)), "unknown_shard");
  CAF_CHECK_EQUAL(slow->refusal_of(range(3, 0)), "malformed");
  CAF_CHECK_EQUAL(slow->refusal_of("garbage"), "malformed");
  CAF_CHECK_EQUAL(slow->refusal_of(""), "malformed");
  CAF_CHECK_EQUAL(slow->refusal_of(R"({"incarnation":"life-1","shard":"1"})"),
                  "malformed");
  range_request other{"life-2", shard, position{0}, position{3}};
  CAF_CHECK_EQUAL(slow->refusal_of(encode(other)), "old_incarnation");
  raw_instance stranger{*talk, "stranger"};
  CAF_CHECK_EQUAL(stranger.refusal_of(range(0, 3)), "unknown_instance");
}

CAF_TEST(one range per shard at a time and the others are told to wait) {
  publish_many(300);
  CAF_REQUIRE(talk->all_stored());
  constexpr int requests = 5;
  std::atomic<int> served = 0, busy = 0, other = 0;
  for (int i = 0; i < requests; ++i)
    talk->via.request(
        "instance.range.slow", range(0, 300), 10s, [&](const nats::message* x) {
          auto body = x ? x->body : std::string_view{};
          auto refused = decode_range_rejected(body);
          if (frame::read(body))
            ++served;
          else if (refused && refused->reason == control_reject::busy)
            ++busy;
          else
            ++other;
        });
  CAF_CHECK(eventually([&] { return served + busy + other == requests; }));
  CAF_CHECK(served >= 1);
  CAF_CHECK(busy >= 1);
  CAF_CHECK_EQUAL(other, 0);
}

CAF_TEST(a range that left the stream is lost and the answer says to where) {
  publish_many(20);
  CAF_REQUIRE(talk->all_stored());
  auto purge = "$JS.API.STREAM.PURGE." + subjects::shard_stream(shard.value);
  CAF_REQUIRE(talk->via.request_wait(purge, R"({"seq":11})", 10s));
  auto refused = decode_range_rejected(slow->ask(range(0, 20)).value_or(""));
  CAF_REQUIRE(refused);
  CAF_CHECK(refused->reason == control_reject::lost);
  CAF_CHECK(refused->first == position{11});
  CAF_CHECK_EQUAL(slow->refusal_of(range(10, 20)), "");
}

CAF_TEST_FIXTURE_SCOPE_END()
