// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.profile

#include "runtime/profile/cpu_profiler.hpp"
#include "runtime/profile/heap_profiler.hpp"

#include "caf/test/unit_test.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

using outcome = profile::outcome;

/// A thread that is busy, so that there is something to see.
class busy_thread {
public:
  ~busy_thread() {
    stop_ = true;
    thread_.join();
  }

private:
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> work_ = 0;
  std::thread thread_{[this] {
    while (!stop_)
      ++work_;
  }};
};

/// What all samples of a heap profile come to: "  t*: <objects>: <bytes> [".
uint64_t bytes_in(const profile& x) {
  auto line = x.bytes.find("t*: ");
  auto colon = x.bytes.find(": ", line + 4);
  return line == std::string::npos ? 0 : std::stoull(x.bytes.substr(colon + 2));
}

} // namespace

CAF_TEST(a profile of the processor has samples) {
  cpu_profiler profiler;
  busy_thread burning;
  auto idle = profiler.take(1ms);
  // A machine with other work to do may give us nothing for a while.
  auto busy = profiler.take(1s);
  for (int i = 0; i < 10 && busy.bytes.size() <= idle.bytes.size(); ++i)
    busy = profiler.take(1s);
  CAF_CHECK(idle.what == outcome::taken);
  CAF_REQUIRE(busy.what == outcome::taken);
  // Words: 0, 3, 0, period in microseconds, 0, and then samples.
  CAF_REQUIRE(busy.bytes.size() > 5 * sizeof(uint64_t));
  auto* words = reinterpret_cast<const uint64_t*>(busy.bytes.data());
  CAF_CHECK_EQUAL(words[0], 0u);
  CAF_CHECK_EQUAL(words[3], 10'000u);
  CAF_CHECK_GREATER(busy.bytes.size(), idle.bytes.size());
}

CAF_TEST(one profile of the processor is taken at a time) {
  cpu_profiler profiler;
  std::atomic<bool> is_busy = false;
  auto take_until_busy = [&] {
    while (!is_busy)
      if (profiler.take(20ms).what == outcome::busy)
        is_busy = true;
  };
  std::thread other{take_until_busy};
  take_until_busy();
  other.join();
  CAF_CHECK(profiler.take(1ms).what == outcome::taken);
}

CAF_TEST(a profile ends when the node does) {
  cpu_profiler profiler;
  auto begin = std::chrono::steady_clock::now();
  std::thread stopper{[&] {
    std::this_thread::sleep_for(50ms);
    profiler.cancel();
  }};
  CAF_CHECK(profiler.take(1min).what == outcome::cancelled);
  stopper.join();
  CAF_CHECK(profiler.take(1min).what == outcome::cancelled);
  CAF_CHECK_LESS(std::chrono::steady_clock::now() - begin, 30s);
}

CAF_TEST(a profile of the heap knows what is in use) {
  auto shown = take_heap_profile();
  if (shown.what == outcome::unavailable) {
    CAF_CHECK(!shown.bytes.empty());
    return;
  }
  CAF_REQUIRE(shown.what == outcome::taken);
  CAF_CHECK(shown.bytes.starts_with("heap_v2/524288"));
  // Each of these is remembered with a probability of 86 %.
  std::vector<std::unique_ptr<char[]>> kept;
  for (int i = 0; i < 64; ++i)
    kept.push_back(std::make_unique<char[]>(1 << 20));
  CAF_CHECK_GREATER(bytes_in(take_heap_profile()),
                    bytes_in(shown) + (1u << 19));
}
