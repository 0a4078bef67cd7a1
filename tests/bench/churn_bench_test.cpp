// SPDX-License-Identifier: MIT
#define CAF_SUITE bench.churn_bench

#include "bench/churn_bench.hpp"
#include "bench/server_sample.hpp"
#include "bench/test_bed.hpp"

#include "caf/test/unit_test.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>

using namespace fantail;
using namespace fantail::bench;

namespace {

bool near(double a, double b) {
  return std::abs(a - b) < 1e-9;
}

} // namespace

CAF_TEST(what stays the same is flat) {
  auto flat = flatness_of({10, 400, 300, 100, 100, 100, 100, 100, 100});
  CAF_CHECK(near(flat.growth, 0));
  CAF_CHECK(near(flat.excess, 0));
}

CAF_TEST(growth counts from the first third on) {
  auto growing = flatness_of({0, 0, 100, 110, 120, 130});
  CAF_CHECK(near(growing.growth, 30.0 / 115));
  CAF_CHECK(near(growing.excess, 15.0 / 115));
  auto peak = flatness_of({0, 100, 200, 100});
  CAF_CHECK(near(peak.growth, 0));
  CAF_CHECK(near(peak.excess, 0.5));
  CAF_CHECK(near(flatness_of({1, 2}).growth, 0));
  CAF_CHECK(near(flatness_of({}).excess, 0));
}

CAF_TEST(all files of a directory are counted) {
  scratch_directory directory{"fantail-test"};
  auto& path = directory.path();
  std::filesystem::create_directories(path + "/a/b");
  std::ofstream{path + "/one"} << "12345";
  std::ofstream{path + "/a/b/two"} << "123";
  CAF_CHECK_EQUAL(directory_bytes(path), 8u);
  CAF_CHECK_EQUAL(directory_bytes(path + "/none"), 0u);
}
