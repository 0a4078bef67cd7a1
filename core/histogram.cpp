// SPDX-License-Identifier: MIT
#include "core/histogram.hpp"

#include <cmath>

namespace fantail {

using namespace histogram_buckets;

namespace {

uint64_t without_sign(int64_t ns) {
  return ns > 0 ? static_cast<uint64_t>(ns) : 0;
}

} // namespace

void histogram::record(int64_t ns, uint64_t weight) {
  if (weight == 0)
    return;
  auto value = without_sign(ns);
  buckets_[index_of(value)] += weight;
  count_ += weight;
  sum_ += value * weight;
  max_ = std::max(max_, value);
}

uint64_t histogram::quantile(double q) const {
  if (count_ == 0)
    return 0;
  auto share = q > 0 ? std::min(q, 1.0) : 0.0;
  auto total = static_cast<double>(count_);
  auto rank = std::clamp(std::ceil(share * total), 1.0, total);
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (static_cast<double>(seen) >= rank)
      // The last bucket has no end of its own.
      return i + 1 == buckets_.size() ? max_ : std::min(highest_of(i), max_);
  }
  return max_;
}

uint64_t histogram::cumulative_below(uint64_t bound_ns) const {
  if (bound_ns >= max_)
    return count_;
  auto whole = index_of(bound_ns);
  if (highest_of(whole) <= bound_ns && whole + 1 < buckets_.size())
    ++whole;
  uint64_t result = 0;
  for (size_t i = 0; i < whole; ++i)
    result += buckets_[i];
  return result;
}

void histogram::merge(const histogram& other) {
  for (size_t i = 0; i < buckets_.size(); ++i)
    buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

void histogram::subtract(const histogram& earlier) {
  count_ = 0;
  size_t top = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    buckets_[i] -= std::min(buckets_[i], earlier.buckets_[i]);
    count_ += buckets_[i];
    if (buckets_[i] > 0)
      top = i;
  }
  sum_ -= earlier.sum_;
  if (count_ == 0)
    sum_ = max_ = 0;
  else if (top + 1 < buckets_.size())
    max_ = std::min(max_, highest_of(top));
}

void atomic_histogram::record(int64_t ns, uint64_t weight) noexcept {
  auto value = without_sign(ns);
  add(buckets_[index_of(value)], weight);
  add(sum_, value * weight);
  if (weight > 0 && value > max_.load(std::memory_order_relaxed))
    max_.store(value, std::memory_order_relaxed);
}

histogram atomic_histogram::snapshot() const {
  histogram result;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    result.buckets_[i] = buckets_[i].load(std::memory_order_relaxed);
    result.count_ += result.buckets_[i];
  }
  result.sum_ = sum_.load(std::memory_order_relaxed);
  result.max_ = max_.load(std::memory_order_relaxed);
  return result;
}

} // namespace fantail
