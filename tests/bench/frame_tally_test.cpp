// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.frame_tally

#include "bench/frame_tally.hpp"
#include "core/frame.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;
using namespace fantail::bench;

namespace {

/// A frame with one section whose events fill (from, to].
std::string frame_of(uint16_t shard, uint64_t owner, uint64_t from, uint64_t to,
                     uint16_t flags = 0, bool has_events = true) {
  frame::writer out;
  out.begin_section(
      {shard_id{shard}, flags, epoch{owner}, position{from}, position{to}});
  for (auto at = from + 1; has_events && at <= to; ++at) {
    auto body = std::to_string(at);
    chat_event event;
    event.pos = position{at};
    event.channel = "ch";
    event.headers = "NATS/1.0\r\n\r\n";
    event.body = body;
    out.add(event);
  }
  return std::string{out.finish()};
}

} // namespace

CAF_TEST(sections that join are counted once) {
  frame_tally tally{2};
  CAF_CHECK_EQUAL(tally.take(frame_of(0, 1, 10, 15)).events, 5u);
  CAF_CHECK_EQUAL(tally.take(frame_of(0, 1, 15, 17)).events, 2u);
  auto again = tally.take(frame_of(0, 1, 15, 17));
  CAF_CHECK_EQUAL(again.events, 0u);
  CAF_CHECK_EQUAL(again.repeats, 2u);
  CAF_CHECK_EQUAL(tally.take(frame_of(1, 1, 0, 3)).events, 3u);
}

CAF_TEST(an overlap counts only what is new) {
  frame_tally tally{1};
  tally.take(frame_of(0, 1, 0, 10));
  auto next = tally.take(frame_of(0, 1, 7, 12));
  CAF_CHECK_EQUAL(next.events, 2u);
  CAF_CHECK_EQUAL(next.repeats, 3u);
  CAF_CHECK_EQUAL(next.gaps, 0u);
}

CAF_TEST(a gap is seen) {
  frame_tally tally{1};
  tally.take(frame_of(0, 1, 0, 10));
  CAF_CHECK_EQUAL(tally.take(frame_of(0, 1, 11, 12)).gaps, 1u);
}

CAF_TEST(an old owner is not listened to) {
  frame_tally tally{1};
  tally.take(frame_of(0, 5, 0, 10));
  auto old = tally.take(frame_of(0, 4, 10, 12));
  CAF_CHECK_EQUAL(old.events, 0u);
  CAF_CHECK_EQUAL(tally.take(frame_of(0, 6, 8, 12)).events, 2u);
}

CAF_TEST(a stream that began anew starts a new count) {
  frame_tally tally{1};
  tally.take(frame_of(0, 5, 0, 100));
  auto fresh = tally.take(frame_of(0, 6, 0, 3));
  CAF_CHECK_EQUAL(fresh.events, 3u);
  CAF_CHECK_EQUAL(fresh.repeats, 0u);
}

CAF_TEST(a lagging section is counted as such) {
  frame_tally tally{1};
  auto x = tally.take(frame_of(0, 1, 9, 9, frame::lagging, false));
  CAF_CHECK_EQUAL(x.lagging, 1u);
  CAF_CHECK_EQUAL(x.events, 0u);
}

CAF_TEST(bodies of new events are handed out) {
  frame_tally tally{1};
  std::string bodies;
  auto collect = [&](std::string_view body) {
    bodies += body;
    bodies += ' ';
  };
  tally.take(frame_of(0, 1, 0, 3), collect);
  tally.take(frame_of(0, 1, 1, 5), collect);
  CAF_CHECK_EQUAL(bodies, "1 2 3 4 5 ");
}

CAF_TEST(what moved is acknowledged once) {
  frame_tally tally{3};
  tally.take(frame_of(2, 1, 0, 4));
  auto moved = tally.take_moved();
  CAF_REQUIRE_EQUAL(moved.size(), 1u);
  CAF_CHECK_EQUAL(moved[0].first, shard_id{2});
  CAF_CHECK_EQUAL(moved[0].second, position{4});
  CAF_CHECK(tally.take_moved().empty());
}

CAF_TEST(a tally that forgot takes the next section as it comes) {
  frame_tally tally{1};
  tally.take(frame_of(0, 9, 0, 50));
  tally.forget();
  auto x = tally.take(frame_of(0, 1, 20, 22));
  CAF_CHECK_EQUAL(x.events, 2u);
  CAF_CHECK_EQUAL(x.gaps, 0u);
}

CAF_TEST(arbitrary bytes are malformed and harmless) {
  std::mt19937_64 random{test_seed()};
  auto good = frame_of(0, 1, 0, 20);
  auto ignore = [](std::string_view) {
  };
  for (int round = 0; round < 20'000; ++round) {
    frame_tally tally{1};
    auto bytes = good.substr(0, random() % (good.size() + 1));
    for (auto i = random() % 4; i > 0 && !bytes.empty(); --i)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    auto x = tally.take(bytes, ignore);
    CAF_REQUIRE(x.events <= 20u);
  }
  CAF_CHECK_EQUAL(frame_tally{1}.take("").malformed, 1u);
  CAF_CHECK_EQUAL(frame_tally{1}.take("{\"json\":1}").malformed, 1u);
}
