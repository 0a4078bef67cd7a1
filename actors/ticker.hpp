// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "messages/protocol.hpp"

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace fantail {

/// The thread that tells actors the time. CAF's own timers are not used: its
/// clock thread can deadlock itself, and every timed request delays all of
/// them (docs/adr).
class ticker {
public:
  ticker(const clock_port& clock, duration period);
  /// Stops and waits for the thread.
  ~ticker();
  ticker(const ticker&) = delete;
  ticker& operator=(const ticker&) = delete;

  /// From now on `to` is told the time. Any thread.
  void add(component_actor to);

  /// Tells everybody at once that it is `now`. Any thread.
  void tell(time_point now);

private:
  void run();

  const clock_port& clock_;
  duration period_;
  std::mutex mutex_;
  std::vector<component_actor> listeners_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

} // namespace fantail
