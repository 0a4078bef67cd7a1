// SPDX-License-Identifier: MIT
#define CAF_SUITE core.histogram

#include "core/histogram.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

using namespace fantail;

namespace {

/// Spread over all powers of two up to 100 s.
int64_t random_latency(std::mt19937_64& random) {
  auto bits = random() % 37;
  return static_cast<int64_t>((random() & ((uint64_t{1} << bits) - 1))
                              % 100'000'000'000ull);
}

std::vector<int64_t> random_latencies(std::mt19937_64& random, size_t count) {
  std::vector<int64_t> result(count);
  for (auto& x : result)
    x = random_latency(random);
  return result;
}

histogram of(const std::vector<int64_t>& values) {
  histogram result;
  for (auto x : values)
    result.record(x);
  return result;
}

} // namespace

CAF_TEST(every_value_falls_into_a_bucket_that_is_narrow_enough) {
  namespace hb = histogram_buckets;
  for (size_t i = 0; i < hb::count; ++i) {
    auto lowest = i == 0 ? 0 : hb::highest_of(i - 1) + 1;
    auto highest = hb::highest_of(i);
    CAF_REQUIRE_EQUAL(hb::index_of(lowest), i);
    CAF_REQUIRE_EQUAL(hb::index_of(highest), i);
    CAF_REQUIRE(highest - lowest <= lowest / hb::subs);
  }
}

CAF_TEST(quantiles_are_those_of_the_sorted_values_rounded_up_by_3_percent) {
  std::mt19937_64 random{test_seed()};
  for (auto count : {1u, 2u, 10u, 5000u}) {
    auto values = random_latencies(random, count);
    auto x = of(values);
    std::sort(values.begin(), values.end());
    for (auto q : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      auto rank = std::max(std::ceil(q * count), 1.0);
      auto exact = static_cast<uint64_t>(values[static_cast<size_t>(rank) - 1]);
      auto got = x.quantile(q);
      CAF_REQUIRE(got >= exact && got <= exact + exact / 32);
    }
    CAF_CHECK_EQUAL(x.count(), count);
    CAF_CHECK_EQUAL(x.max(), static_cast<uint64_t>(values.back()));
    CAF_CHECK_EQUAL(x.sum(),
                    std::accumulate(values.begin(), values.end(), uint64_t{0}));
  }
}

CAF_TEST(an_empty_histogram_says_nothing_wrong) {
  histogram x;
  CAF_CHECK_EQUAL(x.quantile(0.99), 0u);
  CAF_CHECK_EQUAL(x.cumulative_below(1000), 0u);
  CAF_CHECK_EQUAL(x.mean(), 0.0);
}

CAF_TEST(values_out_of_range_are_kept_at_the_ends) {
  histogram x;
  x.record(-5);
  x.record(INT64_MAX, 2);
  x.record(7, 0);
  CAF_CHECK_EQUAL(x.count(), 3u);
  CAF_CHECK_EQUAL(x.quantile(0), 0u);
  CAF_CHECK_EQUAL(x.quantile(1), static_cast<uint64_t>(INT64_MAX));
  CAF_CHECK_EQUAL(x.quantile(std::nan("")), 0u);
}

CAF_TEST(cumulative_counts_rise_and_miss_at_most_one_bucket) {
  std::mt19937_64 random{test_seed()};
  auto values = random_latencies(random, 2000);
  auto x = of(values);
  auto exact = [&](double bound) {
    return static_cast<uint64_t>(
        std::count_if(values.begin(), values.end(), [&](int64_t value) {
          return static_cast<double>(value) <= bound;
        }));
  };
  uint64_t last = 0;
  for (uint64_t bound = 1; bound < 200'000'000'000; bound += bound / 7 + 1) {
    auto got = x.cumulative_below(bound);
    auto real = static_cast<double>(bound);
    CAF_REQUIRE(got >= last && got <= exact(real));
    CAF_REQUIRE(got >= exact(real * 31 / 32 - 1));
    last = got;
  }
  CAF_CHECK_EQUAL(last, x.count());
}

CAF_TEST(merging_counts_both_and_subtracting_undoes_it) {
  std::mt19937_64 random{test_seed()};
  auto first = random_latencies(random, 1000);
  auto second = random_latencies(random, 500);
  auto both = first;
  both.insert(both.end(), second.begin(), second.end());
  auto merged = of(first);
  merged.merge(of(second));
  CAF_CHECK(merged == of(both));
  auto window = merged;
  window.subtract(of(first));
  auto expected = of(second);
  CAF_CHECK_EQUAL(window.count(), expected.count());
  CAF_CHECK_EQUAL(window.sum(), expected.sum());
  CAF_CHECK(window.max() >= expected.max());
  CAF_CHECK(window.max() <= expected.max() + expected.max() / 32);
  for (auto q : {0.1, 0.5, 0.9})
    CAF_CHECK_EQUAL(window.quantile(q), expected.quantile(q));
  window.subtract(merged);
  CAF_CHECK(window == histogram{});
}

CAF_TEST(weights_count_like_repetitions) {
  histogram once, often;
  once.record(1'000, 3);
  for (int i = 0; i < 3; ++i)
    often.record(1'000);
  CAF_CHECK(once == often);
}

CAF_TEST(snapshots_taken_while_recording_are_consistent) {
  atomic_histogram shared;
  histogram expected;
  constexpr int64_t count = 200'000;
  for (int64_t i = 0; i < count; ++i)
    expected.record(i % 50'000);
  std::thread writer{[&] {
    for (int64_t i = 0; i < count; ++i)
      shared.record(i % 50'000);
  }};
  uint64_t last = 0;
  while (last < static_cast<uint64_t>(count)) {
    auto x = shared.snapshot();
    CAF_REQUIRE(x.count() >= last);
    CAF_REQUIRE(x.cumulative_below(UINT64_MAX) == x.count());
    last = x.count();
    std::this_thread::yield();
  }
  writer.join();
  CAF_CHECK(shared.snapshot() == expected);
}
