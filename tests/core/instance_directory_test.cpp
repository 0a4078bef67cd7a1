// SPDX-License-Identifier: MIT
#define CAF_SUITE core.instance_directory

#include "core/instance_directory.hpp"
#include "core/limits.hpp"

#include "caf/test/unit_test.hpp"

#include <array>
#include <thread>
#include <vector>

using namespace fantail;

namespace {

std::string name(size_t n) {
  return "notif-" + std::to_string(n);
}

} // namespace

CAF_TEST(numbers_are_dense_and_stay) {
  instance_directory directory;
  CAF_CHECK(directory.intern("b") == instance_index{0});
  CAF_CHECK(directory.intern("a") == instance_index{1});
  CAF_CHECK(directory.intern("b") == instance_index{0});
  CAF_CHECK(directory.find("a") == instance_index{1});
  CAF_CHECK(!directory.find("c"));
  CAF_CHECK_EQUAL(directory.size(), 2u);
}

CAF_TEST(names_stay_where_they_are) {
  instance_directory directory;
  auto first = directory.name_of(*directory.intern(name(0)));
  for (size_t i = 1; i < 1000; ++i)
    directory.intern(name(i));
  CAF_CHECK_EQUAL(first, "notif-0");
  CAF_CHECK(directory.name_of(instance_index{0}).data() == first.data());
  CAF_CHECK(directory.name_of(instance_index{1000}).empty());
}

CAF_TEST(what_is_no_token_is_not_entered) {
  instance_directory directory;
  for (auto bad : {"", "a b", "a.b", "a\r\nPUB x 0"})
    CAF_CHECK(!directory.intern(bad));
  CAF_CHECK_EQUAL(directory.size(), 0u);
}

CAF_TEST(a_full_directory_still_knows_its_own) {
  instance_directory directory;
  for (size_t i = 0; i < limits::instances_max; ++i)
    CAF_REQUIRE(directory.intern(name(i)));
  CAF_CHECK(!directory.intern("one-too-many"));
  CAF_CHECK(directory.intern(name(17)) == instance_index{17});
  CAF_CHECK_EQUAL(directory.size(), limits::instances_max);
}

CAF_TEST(threads_agree_on_every_number) {
  instance_directory directory;
  std::array<std::vector<instance_index>, 4> seen;
  std::vector<std::thread> threads;
  for (auto& mine : seen)
    threads.emplace_back([&directory, &mine] {
      for (size_t i = 0; i < 1000; ++i)
        mine.push_back(*directory.intern(name(i)));
    });
  for (auto& thread : threads)
    thread.join();
  for (size_t i = 0; i < 1000; ++i) {
    CAF_REQUIRE(directory.name_of(seen[0][i]) == name(i));
    for (auto& other : seen)
      CAF_REQUIRE(other[i] == seen[0][i]);
  }
}
