// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace fantail {

/// Nanoseconds since 1970, for people; nothing is decided by it.
inline int64_t unix_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

} // namespace fantail
