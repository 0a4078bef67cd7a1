// SPDX-License-Identifier: MIT
#define CAF_SUITE core.inspection.letter_box

#include "core/inspection/letter_box.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

CAF_TEST(letters are counted by reason and receiver) {
  letter_box box;
  box.add("bad_json", "presence", "presence.update.u", "{", 1);
  box.add("bad_json", "presence", "presence.update.v", "[", 2);
  box.add("bad_json", "register", "instance.register.n", "]", 3);
  box.add("unexpected_message", "routing/shard-0", "tick", "", 4);
  CAF_CHECK_EQUAL(box.total(), 4u);
  auto reasons = box.by_reason();
  CAF_CHECK_EQUAL(reasons.at("bad_json"), 3u);
  auto newest = box.newest(3);
  CAF_REQUIRE_EQUAL(newest.size(), 3u);
  CAF_CHECK_EQUAL(newest[0].actor, "routing/shard-0");
  CAF_CHECK_EQUAL(newest[1].count, 1u);
  CAF_CHECK_EQUAL(newest[2].count, 2u);
  CAF_CHECK_EQUAL(newest[2].sample, "[");
}

CAF_TEST(only the beginning of a message is kept and only what can be shown) {
  letter_box box;
  box.add("r", "a", "m\n", std::string(1000, 'x') + "\xff", 1);
  auto x = box.newest(1).at(0);
  CAF_CHECK_EQUAL(x.message, "m.");
  CAF_CHECK_EQUAL(x.sample, std::string(200, 'x') + "...");
  CAF_CHECK_EQUAL(printable("a\xc3\xa4z", 10), "a..z");
}

CAF_TEST(memory is bounded whatever comes) {
  letter_box box;
  for (int i = 0; i < 3000; ++i)
    box.add("reason-" + std::to_string(i), "a", "", "", i);
  CAF_CHECK_EQUAL(box.total(), 3000u);
  CAF_CHECK_EQUAL(box.newest(10'000).size(), letter_box::letters_max);
  CAF_CHECK_EQUAL(box.by_reason().size(), letter_box::counts_max);
  CAF_CHECK_EQUAL(box.newest(1).at(0).reason, "reason-2999");
}
