// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace fantail {

/// Monotonic time. Machines never read a clock: they are handed one of these.
using time_point = std::chrono::time_point<std::chrono::steady_clock>;
using duration = std::chrono::steady_clock::duration;

/// The port behind which time lives: real in runtime/, virtual in tests.
class clock_port {
public:
  virtual ~clock_port() = default;
  virtual time_point now() const noexcept = 0;
};

/// Monotonic nanoseconds, the unit of latency stamps.
constexpr int64_t to_ns(time_point x) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             x.time_since_epoch())
      .count();
}

} // namespace fantail
