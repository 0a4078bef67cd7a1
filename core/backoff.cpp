// SPDX-License-Identifier: MIT
#include "core/backoff.hpp"

#include <algorithm>

namespace fantail {

namespace {

duration scaled(duration x, double factor, duration cap) {
  using fraction = std::chrono::duration<double, duration::period>;
  auto product = fraction{x} * factor;
  // Compared as floating point: the product may not fit a duration.
  return product < fraction{cap} ? std::chrono::duration_cast<duration>(product)
                                 : cap;
}

} // namespace

backoff::backoff(backoff_config config) : config_(config) {
  config_.cap = std::max(config_.cap, duration::zero());
  config_.base = std::clamp(config_.base, duration::zero(), config_.cap);
  // Written so that a factor that is not a number becomes 1.
  if (!(config_.factor >= 1))
    config_.factor = 1;
  pause_ = config_.base;
}

duration backoff::next(double jitter) {
  auto random = jitter > 0 ? std::min(jitter, 1.0) : 0.0;
  auto result = scaled(pause_, 0.5 + random / 2, pause_);
  pause_ = scaled(pause_, config_.factor, config_.cap);
  ++attempts_;
  return result;
}

void backoff::reset() {
  pause_ = config_.base;
  attempts_ = 0;
}

} // namespace fantail
