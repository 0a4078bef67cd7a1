// SPDX-License-Identifier: MIT
#pragma once

#include "app/node_parts.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace fantail {

/// Ends the process if stopping it hangs: CAF waits for its actors without a
/// bound.
class stop_watchdog {
public:
  stop_watchdog() : thread_([this] { run(); }) {}
  ~stop_watchdog() {
    {
      std::lock_guard guard{mutex_};
      is_done_ = true;
    }
    done_.notify_all();
    thread_.join();
  }

private:
  static constexpr auto stop_timeout = 10s;

  void run() {
    std::unique_lock guard{mutex_};
    if (!done_.wait_for(guard, stop_timeout, [this] { return is_done_; }))
      give_up("the node did not stop within 10 s");
  }

  std::mutex mutex_;
  std::condition_variable done_;
  bool is_done_ = false;
  std::thread thread_;
};

} // namespace fantail
