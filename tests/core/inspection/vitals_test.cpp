// SPDX-License-Identifier: MIT
#define CAF_SUITE core.inspection.vitals

#include "core/inspection/vitals.hpp"

#include "caf/test/unit_test.hpp"

#include <atomic>
#include <thread>

using namespace fantail;

namespace {

struct letter {};
struct parcel {};

template <int N>
struct numbered {};

template <int... Ns>
void handle_one_of_each(vitals& signs, std::integer_sequence<int, Ns...>) {
  (signs.begin(typeid(numbered<Ns>), 1), ...);
}

void handle(vitals& signs, const std::type_info& what, int64_t begin,
            int64_t end) {
  signs.arrived();
  signs.begin(what, begin);
  signs.end(end);
}

} // namespace

CAF_TEST(who has done nothing says so) {
  vitals signs;
  auto x = signs.read();
  CAF_CHECK(x.current == nullptr);
  CAF_CHECK_EQUAL(x.handled + x.busy_ns + x.waiting, 0u);
  CAF_CHECK(signs.by_kind().empty());
}

CAF_TEST(the message at hand is told with its beginning) {
  vitals signs;
  signs.arrived();
  signs.arrived();
  CAF_CHECK_EQUAL(signs.read().waiting, 2u);
  signs.begin(typeid(letter), 1'000);
  auto x = signs.read();
  CAF_REQUIRE(x.current != nullptr);
  CAF_CHECK(*x.current == typeid(letter));
  CAF_CHECK_EQUAL(x.current_since_ns, 1'000);
  CAF_CHECK_EQUAL(x.waiting, 1u);
  CAF_CHECK_EQUAL(x.handled, 0u);
  signs.end(1'700);
  x = signs.read();
  CAF_CHECK(x.current == nullptr);
  CAF_CHECK_EQUAL(x.handled, 1u);
  CAF_CHECK_EQUAL(x.busy_ns, 700u);
  CAF_CHECK_EQUAL(signs.handler_times().count(), 1u);
}

CAF_TEST(messages are counted by their type and the most frequent comes first) {
  vitals signs;
  handle(signs, typeid(letter), 1, 2);
  handle(signs, typeid(parcel), 2, 3);
  handle(signs, typeid(parcel), 3, 4);
  auto kinds = signs.by_kind();
  CAF_REQUIRE_EQUAL(kinds.size(), 2u);
  CAF_CHECK_EQUAL(name_of(*kinds[0].first), "parcel");
  CAF_CHECK_EQUAL(kinds[0].second, 2u);
  CAF_CHECK_EQUAL(name_of(*kinds[1].first), "letter");
}

CAF_TEST(types beyond the bound count together) {
  vitals signs;
  handle_one_of_each(signs, std::make_integer_sequence<int, 40>{});
  auto kinds = signs.by_kind();
  CAF_REQUIRE_EQUAL(kinds.size(), vitals::kinds_max + 1);
  CAF_CHECK(kinds.back().first == nullptr);
  CAF_CHECK_EQUAL(kinds.back().second, 8u);
}

CAF_TEST(the next actor begins with an empty mailbox and goes on counting) {
  vitals signs;
  handle(signs, typeid(letter), 1, 2);
  signs.arrived();
  signs.arrived();
  signs.emptied();
  CAF_CHECK_EQUAL(signs.read().waiting, 0u);
  CAF_CHECK_EQUAL(signs.read().handled, 1u);
  signs.arrived();
  CAF_CHECK_EQUAL(signs.read().waiting, 1u);
}

CAF_TEST(a message that nobody saw arrive does not make the mailbox negative) {
  vitals signs;
  signs.begin(typeid(letter), 1);
  signs.end(2);
  CAF_CHECK_EQUAL(signs.read().waiting, 0u);
}

CAF_TEST(a clock that goes back takes nothing away) {
  vitals signs;
  handle(signs, typeid(letter), 100, 90);
  CAF_CHECK_EQUAL(signs.read().busy_ns, 0u);
}

CAF_TEST(readers see whole messages while others write) {
  vitals signs;
  std::atomic<bool> is_done = false;
  std::thread sender{[&] {
    for (int i = 0; i < 100'000; ++i)
      signs.arrived();
  }};
  std::thread actor{[&] {
    for (int64_t i = 1; i <= 100'000; ++i) {
      auto& kind = i % 2 == 0 ? typeid(letter) : typeid(parcel);
      signs.begin(kind, i);
      signs.end(i + 1);
    }
    is_done = true;
  }};
  auto wrong = 0;
  while (!is_done) {
    auto x = signs.read();
    auto expected
        = x.current_since_ns % 2 == 0 ? &typeid(letter) : &typeid(parcel);
    // The time is that of the type, or nothing is told.
    if (x.current && x.current != expected)
      ++wrong;
  }
  sender.join();
  actor.join();
  CAF_CHECK_EQUAL(wrong, 0);
  CAF_CHECK_EQUAL(signs.read().handled, 100'000u);
  CAF_CHECK_EQUAL(signs.read().waiting, 0u);
}
