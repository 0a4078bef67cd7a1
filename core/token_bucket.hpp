// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

namespace fantail {

/// Admits a steady rate with bursts: the bucket gains `rate` tokens a second
/// up to `burst`, and whoever wants to pass takes some. Starts full. Time that
/// runs backwards adds nothing. Not thread safe.
///
/// Invariant: 0 <= tokens <= burst.
class token_bucket {
public:
  /// Both numbers are taken as 0 if they are negative or not a number; a rate
  /// of 0 never refills.
  token_bucket(double rate_per_second, double burst, time_point now);

  /// Takes `count` tokens, all or none.
  bool try_take(double count, time_point now);

  /// How long until `count` tokens will be there; zero if they are there now,
  /// duration::max() if they never will be.
  duration wait_for(double count, time_point now);

  double available(time_point now);

private:
  void refill(time_point now);

  double rate_;
  double burst_;
  double tokens_;
  time_point refilled_at_;
};

} // namespace fantail
