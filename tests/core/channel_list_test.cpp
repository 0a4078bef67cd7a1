// SPDX-License-Identifier: MIT
#define CAF_SUITE core.channel_list

#include "core/channel_list.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <random>

using namespace fantail;

CAF_TEST(names_come_back_as_they_went_in) {
  std::mt19937_64 random{test_seed()};
  for (int round = 0; round < 200; ++round) {
    channel_list list;
    std::vector<std::string> model;
    for (auto left = random() % 100; left > 0; --left) {
      std::string name(1 + random() % limits::token_bytes_max, 'x');
      name[0] = static_cast<char>('a' + random() % 26);
      list.push_back(name);
      model.push_back(name);
    }
    CAF_REQUIRE_EQUAL(list.size(), model.size());
    CAF_REQUIRE_EQUAL(list.empty(), model.empty());
    CAF_REQUIRE(
        std::equal(list.begin(), list.end(), model.begin(), model.end()));
  }
}

CAF_TEST(lists_with_the_same_letters_and_other_borders_differ) {
  channel_list a, b;
  for (auto* name : {"ab", "c"})
    a.push_back(name);
  for (auto* name : {"a", "bc"})
    b.push_back(name);
  CAF_CHECK(!(a == b));
  a.clear();
  b.clear();
  CAF_CHECK(a == b);
  CAF_CHECK(a.begin() == a.end());
}
