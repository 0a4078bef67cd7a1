// SPDX-License-Identifier: MIT
#define CAF_SUITE actors.ticker

#include "actors/ticker.hpp"

#include "caf/test/unit_test.hpp"
#include <caf/all.hpp>

#include <chrono>
#include <thread>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

struct steady_time final : clock_port {
  time_point now() const noexcept override {
    return std::chrono::steady_clock::now();
  }
};

/// Counts the ticks it is told.
component_actor::behavior_type counter(component_actor::pointer,
                                       std::atomic<int>* ticks) {
  return {
      [ticks](const tick&) { ++*ticks; },
      [](const inspect_node&) {},
  };
}

} // namespace

CAF_TEST(a listener is told at every so many beats) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  steady_time clock;
  std::atomic<int> often = 0, seldom = 0, also_seldom = 0;
  {
    ticker beats{clock, 1ms};
    beats.add(system.spawn(counter, &often), 1);
    beats.add(system.spawn(counter, &seldom), 5);
    beats.add(system.spawn(counter, &also_seldom), 5);
    while (often < 100)
      std::this_thread::sleep_for(1ms);
  }
  // The actors end once they have handled what they were told.
  system.await_all_actors_done();
  CAF_MESSAGE(often.load() << " beats");
  for (auto* x : {&seldom, &also_seldom}) {
    CAF_CHECK_LESS_OR_EQUAL(*x, often / 5 + 1);
    CAF_CHECK_GREATER_OR_EQUAL(*x, often / 5 - 1);
  }
}

CAF_TEST(everybody is told at once when asked) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  steady_time clock;
  std::atomic<int> first = 0, second = 0;
  {
    ticker beats{clock, 1s};
    beats.add(system.spawn(counter, &first), 3);
    beats.add(system.spawn(counter, &second), 3);
    beats.tell(clock.now());
  }
  system.await_all_actors_done();
  CAF_CHECK_EQUAL(first.load(), 1);
  CAF_CHECK_EQUAL(second.load(), 1);
}
