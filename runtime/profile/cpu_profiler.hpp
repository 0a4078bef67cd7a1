// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "runtime/profile/profile.hpp"

#include <condition_variable>
#include <mutex>

namespace fantail {

/// Samples the stacks of all threads, 100 times per second of processor time
/// that the process takes, by gperftools. Between profiles it costs nothing.
/// Thread safe.
class cpu_profiler {
public:
  /// Waits for `length` and returns what was seen meanwhile. One profile at a
  /// time in a process.
  profile take(duration length);

  /// Ends a running profile without a result, and refuses those that follow.
  void cancel();

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_running_ = false;
  bool is_cancelled_ = false;
};

} // namespace fantail
