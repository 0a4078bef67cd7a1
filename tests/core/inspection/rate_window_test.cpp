// SPDX-License-Identifier: MIT
#define CAF_SUITE core.inspection.rate_window

#include "core/inspection/rate_window.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

namespace {

constexpr int64_t second = 1'000'000'000;

} // namespace

CAF_TEST(one sample is no rate) {
  rate_window window;
  CAF_CHECK_EQUAL(window.per_second(), 0);
  window.add(second, 500);
  CAF_CHECK_EQUAL(window.per_second(), 0);
  CAF_CHECK_EQUAL(window.length_seconds(), 0);
}

CAF_TEST(the rate is that of the last ten seconds) {
  rate_window window;
  uint64_t value = 0;
  for (int i = 0; i < 100; ++i)
    window.add(i * second, value += i < 80 ? 1 : 100);
  CAF_CHECK_EQUAL(window.length_seconds(), 10);
  CAF_CHECK_EQUAL(window.per_second(), 100);
}

CAF_TEST(a window that is not full yet is shorter) {
  rate_window window;
  window.add(0, 0);
  window.add(2 * second, 10);
  CAF_CHECK_EQUAL(window.length_seconds(), 2);
  CAF_CHECK_EQUAL(window.per_second(), 5);
}

CAF_TEST(a number that began anew has no rate) {
  rate_window window;
  window.add(0, 100);
  window.add(second, 3);
  CAF_CHECK_EQUAL(window.per_second(), 0);
}
