// SPDX-License-Identifier: MIT
#include "core/token_bucket.hpp"

#include <algorithm>
#include <cmath>

namespace fantail {

namespace {

using seconds = std::chrono::duration<double>;

/// A century: what takes longer than that counts as never.
constexpr auto never = seconds{100.0 * 365 * 86'400};

double sane(double x) {
  return x > 0 ? x : 0.0;
}

} // namespace

token_bucket::token_bucket(double rate_per_second, double burst, time_point now)
    : rate_(sane(rate_per_second)), burst_(sane(burst)), tokens_(burst_),
      refilled_at_(now) {}

bool token_bucket::try_take(double count, time_point now) {
  refill(now);
  // Written so that a count that is not a number is refused.
  if (!(count <= tokens_))
    return false;
  tokens_ = std::min(tokens_ - count, burst_);
  return true;
}

duration token_bucket::wait_for(double count, time_point now) {
  refill(now);
  if (count <= tokens_)
    return duration::zero();
  if (!(count <= burst_))
    return duration::max();
  auto wait = seconds{(count - tokens_) / rate_};
  // Rounding up keeps the promise that the tokens are there afterwards.
  return wait < never ? std::chrono::ceil<duration>(wait) + duration{1}
                      : duration::max();
}

double token_bucket::available(time_point now) {
  refill(now);
  return tokens_;
}

void token_bucket::refill(time_point now) {
  if (now <= refilled_at_)
    return;
  tokens_
      = std::min(burst_, tokens_ + seconds{now - refilled_at_}.count() * rate_);
  refilled_at_ = now;
}

} // namespace fantail
