// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <cstdint>

namespace fantail {

/// How long retries wait. The defaults are those of the requirements (B6).
struct backoff_config {
  duration base = std::chrono::milliseconds{250};
  duration cap = std::chrono::seconds{30};
  double factor = 2;
};

/// Growing pauses between the attempts of one thing. Half of a pause is fixed,
/// so attempts never follow on each other's heels; half is jitter, so that
/// those who failed together do not return together ("equal jitter":
/// M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
/// Not thread safe.
///
/// Invariant: pauses without jitter never shrink and never exceed the cap.
class backoff {
public:
  /// A negative base or cap is taken as zero, a factor below 1 as 1.
  explicit backoff(backoff_config config = {});

  /// The pause before the next attempt. `jitter` is a random number in [0, 1),
  /// drawn by the caller; anything outside is clamped.
  duration next(double jitter);

  /// To be called after a success: the next pause is the base again.
  void reset();

  /// Pauses handed out since the start or the last reset.
  uint32_t attempts() const noexcept { return attempts_; }

private:
  backoff_config config_;
  duration pause_;
  uint32_t attempts_ = 0;
};

} // namespace fantail
