// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.findings

#include "bench/findings.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace fantail::bench;

namespace {

using kind = target::kind;

finding row(double floor, double fantail, kind what, double bound) {
  return {"drain", "events/s", floor, fantail, target{what, bound}, 0};
}

bench_report report_with(const finding& x) {
  bench_report result;
  result.bench = x.bench;
  result.conditions = {{"spread", 5}, {"format", "frame"}};
  result.findings = {x};
  return result;
}

verdict verdict_of(const finding& x) {
  return judge(x, report_with(x));
}

} // namespace

CAF_TEST(a figure is held against its target) {
  CAF_CHECK(verdict_of(row(0, 5, kind::at_most, 5)) == verdict::met);
  CAF_CHECK(verdict_of(row(0, 5.1, kind::at_most, 5)) == verdict::missed);
  CAF_CHECK(verdict_of(row(0, 5, kind::at_least, 5)) == verdict::met);
  CAF_CHECK(verdict_of(row(0, 4.9, kind::at_least, 5)) == verdict::missed);
  CAF_CHECK(verdict_of(row(100, 86, kind::ratio_at_least, 0.85))
            == verdict::met);
  CAF_CHECK(verdict_of(row(100, 84, kind::ratio_at_least, 0.85))
            == verdict::missed);
  CAF_CHECK(verdict_of(row(10, 15, kind::ratio_at_most, 1.5)) == verdict::met);
  CAF_CHECK(verdict_of(row(10, 16, kind::ratio_at_most, 1.5))
            == verdict::missed);
}

CAF_TEST(a figure without a target is only told) {
  finding x{"e2e", "p50", std::nullopt, 1.0, std::nullopt};
  CAF_CHECK(verdict_of(x) == verdict::told);
}

CAF_TEST(a ratio to nothing is invalid) {
  CAF_CHECK(verdict_of(row(0, 84, kind::ratio_at_least, 0.85))
            == verdict::invalid);
}

CAF_TEST(a slow machine spoils comparisons and nothing else) {
  auto ratio = row(100, 10, kind::ratio_at_least, 0.85);
  auto absolute = row(100, 10, kind::at_most, 20);
  auto report = report_with(ratio);
  report.findings.push_back(absolute);
  report.invalid_comparison.push_back("slow");
  CAF_CHECK(judge(ratio, report) == verdict::invalid);
  CAF_CHECK(judge(absolute, report) == verdict::met);
  report.invalid.push_back("late");
  CAF_CHECK(judge(absolute, report) == verdict::invalid);
}

CAF_TEST(the exit code tells the worst of it) {
  auto good = report_with(row(0, 5, kind::at_most, 5));
  auto bad = report_with(row(0, 6, kind::at_most, 5));
  auto unclear = report_with(row(0, 6, kind::ratio_at_most, 5));
  CAF_CHECK_EQUAL(exit_code({}), 0);
  CAF_CHECK_EQUAL(exit_code({good}), 0);
  CAF_CHECK_EQUAL(exit_code({good, unclear}), 97);
  CAF_CHECK_EQUAL(exit_code({unclear, bad}), 99);
}

CAF_TEST(the median is the middle) {
  CAF_CHECK_EQUAL(median({}), 0.0);
  CAF_CHECK_EQUAL(median({3}), 3.0);
  CAF_CHECK_EQUAL(median({9, 1, 5}), 5.0);
  CAF_CHECK_EQUAL(median({4, 1, 2, 9}), 3.0);
}

CAF_TEST(a late generator is a problem) {
  CAF_CHECK(!lateness_problem(4.9, 1));
  CAF_CHECK(lateness_problem(5.1, 1).has_value());
  CAF_CHECK(!lateness_problem(9, 100));
  CAF_CHECK(lateness_problem(11, 100).has_value());
}

CAF_TEST(pairs are interleaved) {
  CAF_CHECK(floor_is_first(0));
  CAF_CHECK(!floor_is_first(1));
  CAF_CHECK(floor_is_first(2));
}

CAF_TEST(the table names conditions figures and reasons) {
  auto report = report_with(row(1'234'567, 1'000'000, kind::ratio_at_least, 1));
  report.invalid_comparison.push_back("this machine is slow");
  auto text = render_table({report}, false);
  for (auto* part :
       {"drain: format frame, spread 5\n", "1,234,567", "1,000,000", "0.81",
        ">= 1 x floor", "INVALID", "this machine is slow"})
    CAF_CHECK(text.find(part) != std::string::npos);
  CAF_CHECK(text.find('\x1b') == std::string::npos);
  CAF_CHECK(render_table({report}, true).find('\x1b') != std::string::npos);
}

CAF_TEST(the report survives as JSON) {
  auto report = report_with(row(200, 190, kind::ratio_at_least, 0.85));
  auto read = json::parse(json::serialize(to_json(report)));
  CAF_REQUIRE(read.has_value());
  auto* findings = read->find("findings")->if_array();
  CAF_REQUIRE(findings && findings->size() == 1);
  CAF_CHECK_EQUAL((*findings)[0].string_or("verdict", ""), "ok");
  CAF_CHECK(read->find("conditions")->int_or("spread", 0) == 5);
}
