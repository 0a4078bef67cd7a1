// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

namespace fantail::bench {

/// The plan of an open loop: event i is meant for `start` + i / rate, whatever
/// became of the events before it. Latency counts from there, so a slow system
/// cannot slow its own measurement down (coordinated omission). Times are
/// nanoseconds of any one clock.
class open_loop {
public:
  /// REQUIRES: rate > 0, in events per second.
  constexpr open_loop(int64_t start_ns, double rate)
      : start_ns_(start_ns), interval_ns_(1e9 / rate) {}

  constexpr int64_t intended_at(uint64_t event) const {
    return start_ns_
           + static_cast<int64_t>(static_cast<double>(event) * interval_ns_);
  }

  /// Events whose time has come at `now_ns`: those with smaller numbers.
  constexpr uint64_t due(int64_t now_ns) const {
    if (now_ns < start_ns_)
      return 0;
    auto guess = static_cast<uint64_t>(static_cast<double>(now_ns - start_ns_)
                                       / interval_ns_);
    // Rounding may be off by one in either direction.
    guess = std::max<uint64_t>(guess, 1) - 1;
    while (intended_at(guess) <= now_ns)
      ++guess;
    return guess;
  }

private:
  int64_t start_ns_;
  double interval_ns_;
};

} // namespace fantail::bench
