// SPDX-License-Identifier: MIT
#define CAF_SUITE core.delivery.absent_instance

#include "core/delivery/outbox_group.hpp"
#include "tests/core/delivery/recording_bus.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <random>

using namespace fantail;
using namespace fantail::test;

namespace {

using numbers = std::vector<uint64_t>;

constexpr auto here = instance_index{0};
constexpr auto there = instance_index{1};

/// A group with two plain instances, and a server that knows who listens.
struct fixture {
  instance_directory names;
  outbox_group group{{}, names};
  recording_bus bus;
  std::vector<outbox_group::incident> incidents;
  bool listens[2] = {true, true};
  numbers received[2];
  uint64_t last = 0;
  uint64_t confirmed = 0;

  fixture() {
    names.intern("n0");
    names.intern("n1");
    group.set_head(shard_id{0}, {epoch{1}, position{0}});
  }

  /// One pull with `events` events for both.
  void accept(uint64_t events) {
    std::vector<event_spec> specs;
    delivery x;
    for (uint64_t i = 0; i < events; ++i) {
      specs.push_back({last + i + 1});
      for (auto index : {here, there})
        x.targets.instances.push_back(index);
      auto end = static_cast<uint32_t>(x.targets.instances.size());
      x.targets.items.push_back({static_cast<uint32_t>(i), end});
    }
    x.source = make_pull(0, last, last + events, specs);
    x.owner = epoch{1};
    x.number = ++pulls;
    last += events;
    group.accept(std::move(x), incidents);
  }

  /// The server handles one message.
  void serve() {
    auto x = bus.take();
    if (x.marker > 0) {
      std::vector<outbox_group::confirmation> done;
      group.confirmed(x.marker, done, incidents);
      confirmed += done.size();
      return;
    }
    auto index = x.subject.back() == '0' ? here : there;
    if (listens[index.value])
      received[index.value].push_back(
          std::stoull(x.body.substr(x.body.find('/') + 1)));
    else if (x.asks)
      group.unheard(*x.asks);
  }

  void settle() {
    while (group.is_pending() || !bus.messages.empty()) {
      group.flush(bus, incidents);
      while (!bus.messages.empty())
        serve();
    }
  }

  /// Somebody has begun to listen: everything from here on has to come, in
  /// order, whatever the order in which things happen.
  void expect_everything(std::mt19937_64& random) {
    numbers wanted;
    auto since = last;
    for (int i = 0; i < 50; ++i) {
      accept(1 + random() % 5);
      if (random() % 3 == 0)
        group.flush(bus, incidents);
      for (auto n = random() % 6; n > 0 && !bus.messages.empty(); --n)
        serve();
    }
    settle();
    for (auto n = since + 1; n <= last; ++n)
      wanted.push_back(n);
    auto first = std::ranges::find(received[1], since + 1);
    CAF_REQUIRE(numbers(first, received[1].end()) == wanted);
    CAF_REQUIRE(std::ranges::is_sorted(received[1]));
  }

  /// Nobody listens any more, and that is noticed.
  void leave() {
    accept(1);
    settle();
    listens[1] = false;
    received[1].clear();
    group.ask_soon();
    accept(1);
    settle();
    CAF_REQUIRE(group.find(there)->is_absent());
  }

  size_t count(enum outbox_group::incident::kind what) const {
    return static_cast<size_t>(
        std::count_if(incidents.begin(), incidents.end(),
                      [what](auto& x) { return x.what == what; }));
  }

  uint64_t pulls = 0;
};

using kind = outbox_group::incident::kind;

} // namespace

CAF_TEST_FIXTURE_SCOPE(absent_instance_tests, fixture)

CAF_TEST(only what is asked is published while nobody listens) {
  listens[1] = false;
  accept(10);
  settle();
  CAF_CHECK_EQUAL(count(kind::absent), 0u);
  group.ask_soon();
  accept(10);
  settle();
  CAF_CHECK_EQUAL(count(kind::absent), 1u);
  CAF_CHECK_EQUAL(group.stats().absent, 1u);
  auto before = group.stats().messages;
  accept(10);
  settle();
  CAF_CHECK_EQUAL(group.stats().messages - before, 11u);
  CAF_CHECK_EQUAL(group.stats().unheard, 10u);
  CAF_CHECK_EQUAL(received[0].size(), 30u);
  CAF_CHECK(!group.find(there)->is_pending());
}

CAF_TEST(who listens again misses nothing from then on) {
  leave();
  listens[1] = true;
  accept(5);
  settle();
  CAF_CHECK_EQUAL(received[1], (numbers{3, 4, 5, 6, 7}));
  CAF_CHECK_EQUAL(count(kind::heard), 1u);
  CAF_CHECK_EQUAL(group.stats().absent, 0u);
  CAF_CHECK_EQUAL(confirmed, pulls);
}

CAF_TEST(what waits for a verdict survives its pull and a lost link) {
  leave();
  listens[1] = true;
  accept(3);
  group.flush(bus, incidents);
  accept(3);
  bus = {};
  group.rewind(incidents);
  settle();
  // Repeats are what a lost connection may bring.
  for (uint64_t i = 3; i <= 8; ++i)
    CAF_CHECK(std::ranges::find(received[1], i) != received[1].end());
}

CAF_TEST(an instance that registers anew is heard) {
  leave();
  group.admit(there, {"n1", delivery_format::frame, "life-1"});
  CAF_CHECK_EQUAL(group.stats().absent, 0u);
  CAF_CHECK(!group.find(there)->is_absent());
}

CAF_TEST(whenever it listens it misses nothing and gets it in order) {
  auto seed = test_seed();
  std::mt19937_64 random{seed};
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 8) {
    case 0:
    case 1:
      accept(1 + random() % 5);
      break;
    case 2:
      group.flush(bus, incidents);
      break;
    case 3:
      group.ask_soon();
      break;
    case 4:
      if (random() % 20 == 0) {
        listens[1] = !listens[1];
        received[1].clear();
        if (listens[1])
          expect_everything(random);
      }
      break;
    default:
      if (!bus.messages.empty())
        serve();
    }
  }
  settle();
  CAF_CHECK_EQUAL(received[0].size(), last);
  CAF_CHECK_EQUAL(confirmed, pulls);
  CAF_CHECK(count(kind::absent) > 10u);
  CAF_CHECK(!group.find(there)->is_pending());
}

CAF_TEST_FIXTURE_SCOPE_END()
