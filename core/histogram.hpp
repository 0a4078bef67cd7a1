// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace fantail {

/// The buckets both histograms share: log-linear, 32 per power of two, so a
/// bucket is at most 1/32 as wide as its values are large (3 %). Values are
/// nanoseconds; those below 64 ns are exact, those beyond 137 s fall into the
/// last bucket. After G. Tene, HdrHistogram, http://hdrhistogram.org.
namespace histogram_buckets {

inline constexpr int sub_bits = 5;
inline constexpr uint64_t subs = 1u << sub_bits;
/// 2^37 ns is the first power of two beyond 100 s.
inline constexpr int value_bits = 37;
inline constexpr size_t count = (value_bits - sub_bits + 1) * subs;

constexpr size_t index_of(uint64_t ns) {
  ns = std::min(ns, (uint64_t{1} << value_bits) - 1);
  if (ns < subs)
    return static_cast<size_t>(ns);
  auto shift = std::bit_width(ns) - 1 - sub_bits;
  return static_cast<size_t>(shift) * subs + static_cast<size_t>(ns >> shift);
}

/// The largest value that falls into bucket `index`.
constexpr uint64_t highest_of(size_t index) {
  if (index < 2 * subs)
    return index;
  auto shift = index / subs - 1;
  return ((subs + index % subs + 1) << shift) - 1;
}

static_assert(index_of(UINT64_MAX) == count - 1);
static_assert(index_of(highest_of(count - 1)) == count - 1);

} // namespace histogram_buckets

/// Latencies in a fixed 8.4 KB, from nanoseconds to 137 s, with a relative
/// error of 1/32. A plain value: copy, merge, subtract. Not thread safe.
///
/// Invariant: count() is the sum of all buckets.
class histogram {
public:
  /// Negative values count as 0: a clock read on two cores may disagree.
  void record(int64_t ns, uint64_t weight = 1);

  /// A value that is not smaller than the `q`-quantile of what was recorded
  /// and at most 1/32 larger; `q` is clamped to [0, 1]. 0 if empty.
  uint64_t quantile(double q) const;

  uint64_t count() const noexcept { return count_; }
  /// Of all recorded values times their weights, ns; wraps around.
  uint64_t sum() const noexcept { return sum_; }
  /// Exact, except after `subtract`: then rounded up by at most 1/32.
  uint64_t max() const noexcept { return max_; }
  double mean() const noexcept {
    return count_ == 0
               ? 0.0
               : static_cast<double>(sum_) / static_cast<double>(count_);
  }

  /// How many values are surely <= `bound_ns`: those of the bucket `bound_ns`
  /// cuts in two are left out. Rises with the bound, as Prometheus demands.
  uint64_t cumulative_below(uint64_t bound_ns) const;

  void merge(const histogram& other);

  /// Takes away an earlier state of the same histogram; what is left is the
  /// window in between. Never goes below zero.
  void subtract(const histogram& earlier);

  bool operator==(const histogram&) const = default;

private:
  friend class atomic_histogram;

  std::array<uint64_t, histogram_buckets::count> buckets_{};
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t max_ = 0;
};

/// A histogram one thread writes while others take snapshots. The writer pays
/// three plain stores, no locked instruction.
class atomic_histogram {
public:
  /// Called by one thread at a time only.
  void record(int64_t ns, uint64_t weight = 1) noexcept;

  /// Called by any thread. The buckets and the count agree with each other;
  /// sum and max may be ahead or behind by what is being recorded.
  histogram snapshot() const;

private:
  using cell = std::atomic<uint64_t>;

  static void add(cell& to, uint64_t x) noexcept {
    to.store(to.load(std::memory_order_relaxed) + x, std::memory_order_relaxed);
  }

  std::array<cell, histogram_buckets::count> buckets_{};
  cell sum_ = 0;
  cell max_ = 0;
};

} // namespace fantail
