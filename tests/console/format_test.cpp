// SPDX-License-Identifier: MIT
#define CAF_SUITE console.format

#include "console/format.hpp"

#include "caf/test/unit_test.hpp"

#include <cmath>
#include <limits>

using namespace fantail::console;

CAF_TEST(counts_have_commas) {
  CAF_CHECK_EQUAL(show_count(0), "0");
  CAF_CHECK_EQUAL(show_count(999), "999");
  CAF_CHECK_EQUAL(show_count(1000), "1,000");
  CAF_CHECK_EQUAL(show_count(1234567), "1,234,567");
  CAF_CHECK_EQUAL(show_count(-1234), "-1,234");
  CAF_CHECK_EQUAL(show_count(-123), "-123");
}

CAF_TEST(bytes_have_the_unit_that_fits) {
  CAF_CHECK_EQUAL(show_bytes(0), "0 B");
  CAF_CHECK_EQUAL(show_bytes(812), "812 B");
  CAF_CHECK_EQUAL(show_bytes(1024), "1 KiB");
  CAF_CHECK_EQUAL(show_bytes(1536), "1.5 KiB");
  CAF_CHECK_EQUAL(show_bytes(1023.9 * 1024), "1 MiB");
  CAF_CHECK_EQUAL(show_bytes(4294967296.0), "4 GiB");
  CAF_CHECK_EQUAL(show_bytes(-1), "-");
}

CAF_TEST(durations_have_the_unit_that_fits) {
  CAF_CHECK_EQUAL(show_seconds(0), "0");
  CAF_CHECK_EQUAL(show_seconds(850e-9), "850 ns");
  CAF_CHECK_EQUAL(show_seconds(12e-6), "12 µs");
  CAF_CHECK_EQUAL(show_seconds(1.9e-3), "1.9 ms");
  CAF_CHECK_EQUAL(show_seconds(0.9999), "1 s");
  CAF_CHECK_EQUAL(show_seconds(2.5), "2.5 s");
  CAF_CHECK_EQUAL(show_seconds(61), "1m 1s");
  CAF_CHECK_EQUAL(show_seconds(59.9), "1m");
  CAF_CHECK_EQUAL(show_seconds(3600 * 4 + 300), "4h 5m");
  CAF_CHECK_EQUAL(show_seconds(86400 * 2 + 3 * 3600), "2d 3h");
  CAF_CHECK_EQUAL(show_seconds(-1), "-");
  CAF_CHECK_EQUAL(show_seconds(std::nan("")), "-");
  CAF_CHECK_EQUAL(show_seconds(std::numeric_limits<double>::infinity()), "-");
}

CAF_TEST(rates_and_shares) {
  CAF_CHECK_EQUAL(show_rate(0), "0/s");
  CAF_CHECK_EQUAL(show_rate(0.01), "<0.1/s");
  CAF_CHECK_EQUAL(show_rate(0.4), "0.4/s");
  CAF_CHECK_EQUAL(show_rate(12345.4), "12,345/s");
  CAF_CHECK_EQUAL(show_share(0.034), "3.4 %");
  CAF_CHECK_EQUAL(show_share(0.123), "12 %");
  CAF_CHECK_EQUAL(show_share(1), "100 %");
}

CAF_TEST(times_are_read_with_and_without_a_unit) {
  CAF_CHECK_EQUAL(parse_seconds("2").value_or(-1), 2.0);
  CAF_CHECK_EQUAL(parse_seconds("500ms").value_or(-1), 0.5);
  CAF_CHECK_EQUAL(parse_seconds("1.5s").value_or(-1), 1.5);
  CAF_CHECK_EQUAL(parse_seconds("2m").value_or(-1), 120.0);
  for (auto* x : {"", "s", "2 s", "2d", "-1s", "nan", "inf"})
    CAF_CHECK(!parse_seconds(x));
}

CAF_TEST(whole_numbers_are_whole_and_in_range) {
  CAF_CHECK_EQUAL(parse_whole("7", 1, 10).value_or(-1), 7);
  for (auto* x : {"", "0", "11", "7x", " 7", "7.0", "99999999999999999999"})
    CAF_CHECK(!parse_whole(x, 1, 10));
}
