// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.metrics.process_usage

#include "runtime/metrics/process_usage.hpp"

#include "caf/test/unit_test.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>

using namespace fantail;

namespace {

constexpr std::string_view behind_the_name
    = " S 1 2 3 4 -1 6 7 8 9 10 1401 1502 16 17 20 0 4 0 2203 23000 2404 "
      "18446744073709551615 1 1 0";

double seconds_since_1970() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

} // namespace

CAF_TEST(the_fields_are_found_whatever_the_name_of_the_program) {
  for (std::string name : {"(fantail)", "(a b)", "(a) S 1 2 (b)", "()"}) {
    auto x = parse_process_stat("42 " + name + std::string{behind_the_name});
    CAF_REQUIRE(x);
    CAF_CHECK_EQUAL(x->user_ticks, 1401u);
    CAF_CHECK_EQUAL(x->system_ticks, 1502u);
    CAF_CHECK_EQUAL(x->started_at_ticks, 2203u);
    CAF_CHECK_EQUAL(x->resident_pages, 2404u);
  }
}

CAF_TEST(a_line_that_is_cut_short_is_no_line) {
  auto whole = "42 (x)" + std::string{behind_the_name};
  auto enough = whole.find("2404");
  for (size_t size = 0; size <= enough; ++size)
    CAF_REQUIRE(!parse_process_stat(std::string_view{whole}.substr(0, size)));
  CAF_CHECK(!parse_process_stat("42 (x) S a b c d e f g h i j k l m n o p"));
}

CAF_TEST(this_process_uses_what_it_uses) {
  auto before = read_process_usage();
  CAF_REQUIRE(before);
  CAF_CHECK(before->started_at_seconds <= seconds_since_1970() + 1);
  CAF_CHECK(before->started_at_seconds > seconds_since_1970() - 600);
  constexpr size_t size = 64 << 20;
  auto memory = std::make_unique<char[]>(size);
  for (size_t i = 0; i < size; i += 1024)
    memory[i] = static_cast<char>(i);
  auto file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  auto begin = std::chrono::steady_clock::now();
  uint64_t spun = 0;
  while (std::chrono::steady_clock::now() - begin
         < std::chrono::milliseconds{100})
    spun += static_cast<unsigned char>(memory[spun % size]);
  auto after = read_process_usage();
  close(file);
  CAF_REQUIRE(after);
  CAF_CHECK(after->resident_bytes >= before->resident_bytes + size * 9 / 10);
  CAF_CHECK_EQUAL(after->open_files, before->open_files + 1);
  CAF_CHECK(after->cpu_seconds > before->cpu_seconds);
  CAF_CHECK(after->cpu_seconds < before->cpu_seconds + 60);
  CAF_CHECK_EQUAL(after->started_at_seconds, before->started_at_seconds);
}
