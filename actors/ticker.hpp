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
  /// One beat lasts `period`.
  ticker(const clock_port& clock, duration period);
  /// Stops and waits for the thread.
  ~ticker();
  ticker(const ticker&) = delete;
  ticker& operator=(const ticker&) = delete;

  /// From now on `to` is told the time at every `beats`-th beat. Listeners with
  /// the same rhythm take turns: a message to everybody at once would wake all
  /// workers to quarrel over it. Any thread. REQUIRES: `beats` > 0.
  void add(component_actor to, unsigned beats);

  /// Tells everybody at once that it is `now`. Any thread.
  void tell(time_point now);

private:
  struct listener {
    component_actor to;
    unsigned beats;
    /// Which of its `beats` beats is its own.
    unsigned turn;
  };

  void run();
  void beat(time_point now);

  const clock_port& clock_;
  duration period_;
  std::mutex mutex_;
  std::vector<listener> listeners_;
  unsigned beat_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

} // namespace fantail
