// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.floor_frames

#include "bench/floor_frames.hpp"
#include "core/frame.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;
using namespace fantail::bench;

namespace {

chat_event event_at(uint64_t at, std::string_view channel,
                    std::string_view body) {
  chat_event result;
  result.pos = position{at};
  result.channel = channel;
  result.body = body;
  return result;
}

} // namespace

CAF_TEST(frames are the very bytes that the frame writer makes) {
  std::mt19937_64 random{test_seed()};
  for (int round = 0; round < 200; ++round) {
    floor_frame ours;
    frame::writer theirs;
    std::vector<uint64_t> told(4);
    auto shard = uint16_t{99};
    encoded_event encoded;
    for (uint64_t i = 1 + random() % 50, at = 1; i > 0; --i) {
      auto next = static_cast<uint16_t>(random() % 4);
      at += 1 + random() % 3;
      std::string channel(1 + random() % 20, 'c');
      std::string body(random() % 400, 'b');
      encoded.assign(at, channel, body);
      ours.add(next, told[next], at, encoded);
      if (next != shard)
        theirs.begin_section(
            {shard_id{next}, 0, epoch{1}, position{told[next]}, position{at}});
      theirs.add(event_at(at, channel, body));
      theirs.extend_section(position{at});
      shard = next;
      told[next] = at;
    }
    CAF_REQUIRE_EQUAL(ours.finish(), theirs.finish());
  }
}

CAF_TEST(a frame is full before it exceeds its bytes) {
  floor_frame frame{1'000};
  encoded_event encoded;
  uint64_t at = 0;
  std::string body(300, 'b');
  encoded.assign(++at, "ch", body);
  while (!frame.is_full_for(encoded)) {
    frame.add(0, at - 1, at, encoded);
    encoded.assign(++at, "ch", body);
  }
  CAF_CHECK_GREATER(at, 2u);
  CAF_CHECK_LESS_OR_EQUAL(frame.finish().size(), 1'000u);
}

CAF_TEST(an event larger than a frame travels alone) {
  floor_frame frame{100};
  encoded_event encoded;
  encoded.assign(7, "ch", std::string(500, 'b'));
  CAF_REQUIRE(!frame.is_full_for(encoded));
  frame.add(3, 6, 7, encoded);
  CAF_CHECK(frame.is_full_for(encoded));
  auto sections = frame::read(frame.finish());
  CAF_REQUIRE(sections.has_value());
  CAF_CHECK_EQUAL((*sections)[0].header.shard, shard_id{3});
  CAF_CHECK_EQUAL((*sections)[0].header.from, position{6});
  CAF_CHECK_EQUAL((*sections)[0].events.size(), 1u);
}

CAF_TEST(a cleared frame begins anew) {
  floor_frame frame;
  encoded_event encoded;
  encoded.assign(1, "ch", "x");
  frame.add(0, 0, 1, encoded);
  CAF_CHECK(!frame.is_empty());
  frame.finish();
  frame.clear();
  CAF_CHECK(frame.is_empty());
  encoded.assign(2, "ch", "y");
  frame.add(0, 1, 2, encoded);
  auto sections = frame::read(frame.finish());
  CAF_REQUIRE(sections.has_value());
  CAF_REQUIRE_EQUAL(sections->size(), 1u);
  CAF_CHECK_EQUAL((*sections)[0].events[0].body, "y");
}
