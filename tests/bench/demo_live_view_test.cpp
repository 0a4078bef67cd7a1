// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.demo_live_view

#include "bench/demo/live_view.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>

using namespace fantail;
using namespace fantail::demo;

namespace {

progress some_progress(uint64_t stored) {
  progress result;
  result.count.stored = stored;
  result.count.deliveries = 3 * stored;
  result.latency.record(2'000'000, stored);
  result.online = 1'234;
  for (int i = 0; i < 20; ++i)
    result.instances.push_back(
        {"notif-00" + std::to_string(i % 10), delivery_format::frame, stored});
  return result;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Columns of a line: bytes that do not continue a UTF-8 character.
size_t columns(std::string_view line) {
  return static_cast<size_t>(std::count_if(
      line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

} // namespace

CAF_TEST(rates are those of the time since the last sample) {
  sampler tested;
  tested.take(1, 60, some_progress(1'000));
  auto x = tested.take(3, 60, some_progress(5'000));
  CAF_CHECK_EQUAL(x.events_per_s, 2'000.0);
  CAF_CHECK_EQUAL(x.deliveries_per_s, 6'000.0);
  CAF_CHECK_EQUAL(x.instance_rates.at(7), 2'000.0);
  CAF_CHECK(x.p50_ms >= 2.0 && x.p50_ms < 2.1);
}

CAF_TEST(a line tells the figures and faults only if there are some) {
  sampler tested;
  auto x = tested.take(1, 60, some_progress(4'812));
  x.table = table_size{190, 1'234};
  auto line = render_line(x);
  CAF_CHECK(contains(line, "4,812 events/s"));
  CAF_CHECK(contains(line, "14,436 deliveries/s"));
  CAF_CHECK(contains(line, "table 190 channels, 1234 users"));
  CAF_CHECK(!contains(line, "missed"));
  x.now.count.missed = 2;
  CAF_CHECK(contains(render_line(x), "2 missed"));
}

CAF_TEST(a screen fits eighty columns and has colours only if wanted) {
  sampler tested;
  auto x = tested.take(1, 60, some_progress(123'456'789));
  std::deque<double> history(40, 123'456'789.0);
  auto screen = render_screen(x, history, false);
  CAF_CHECK(!contains(screen, "\x1b"));
  CAF_CHECK(contains(screen, "and 4 more"));
  for (size_t at = 0; at < screen.size();) {
    auto end = screen.find('\n', at);
    CAF_CHECK(columns(std::string_view{screen}.substr(at, end - at)) <= 80);
    at = end + 1;
  }
  CAF_CHECK(contains(render_screen(x, history, true), "\x1b[36m"));
}

CAF_TEST(a verdict passes only if something was played without a fault) {
  ending x;
  CAF_CHECK(!x.passed());
  CAF_CHECK(contains(render_verdict(x, false), "FAIL: nothing was published"));
  x.total = some_progress(10);
  CAF_CHECK(x.passed());
  CAF_CHECK(contains(render_verdict(x, false), "PASS"));
  x.total.count.repeats_single = 5;
  x.total.count.early = 5;
  CAF_CHECK(x.passed());
  for (auto fault :
       {&verifier::totals::missed, &verifier::totals::out_of_order,
        &verifier::totals::excess, &verifier::totals::repeats_frame}) {
    auto faulty = x;
    faulty.total.count.*fault = 1;
    CAF_CHECK(!faulty.passed());
    CAF_CHECK(contains(render_verdict(faulty, false), "FAIL: see above"));
    CAF_CHECK_EQUAL(to_json(faulty).string_or("verdict", ""), "fail");
  }
}

CAF_TEST(the size of the table is read from what the node says) {
  auto size = parse_table_size(R"({"TotalChannels":190,"TotalUsers":12})");
  CAF_REQUIRE(size.has_value());
  CAF_CHECK_EQUAL(size->channels, 190);
  CAF_CHECK_EQUAL(size->users, 12);
  CAF_CHECK(!parse_table_size("not json"));
  CAF_CHECK(!parse_table_size("{}"));
}

CAF_TEST(numbers have separators) {
  CAF_CHECK_EQUAL(with_separators(0), "0");
  CAF_CHECK_EQUAL(with_separators(999), "999");
  CAF_CHECK_EQUAL(with_separators(1'000), "1,000");
  CAF_CHECK_EQUAL(with_separators(1'234'567), "1,234,567");
}
