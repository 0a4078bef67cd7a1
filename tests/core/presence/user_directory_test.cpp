// SPDX-License-Identifier: MIT
#define CAF_SUITE core.presence.user_directory

#include "core/presence/user_directory.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <map>
#include <random>

using namespace fantail;

namespace {

/// Names of all lengths a token may have.
std::string random_name(std::mt19937_64& random) {
  auto name = std::to_string(random() % 3000);
  name.resize(std::max<size_t>(name.size(), random() % 129), 'x');
  return name;
}

} // namespace

CAF_TEST(it_agrees_with_a_map_while_users_come_and_go) {
  std::mt19937_64 random{test_seed()};
  user_directory directory;
  std::map<std::string, user_handle> model;
  for (int step = 0; step < 200'000; ++step) {
    auto name = random_name(random);
    auto known = model.find(name);
    auto found = directory.find(name);
    CAF_REQUIRE_EQUAL(found.has_value(), known != model.end());
    if (known != model.end()) {
      CAF_REQUIRE(*found == known->second);
      CAF_REQUIRE(directory.name_of(*found) == name);
      directory.remove(*found);
      model.erase(known);
    } else if (random() % 3 != 0 || step % 20'000 < 5'000) {
      model.emplace(name, directory.add(name));
    }
    CAF_REQUIRE_EQUAL(directory.size(), model.size());
    if (step % 2'000 == 0)
      CAF_REQUIRE(!directory.check_invariants());
  }
  for (auto& [name, handle] : model)
    CAF_REQUIRE(directory.name_of(handle) == name);
}

CAF_TEST(handles_are_dense_and_given_again) {
  user_directory directory;
  for (int i = 0; i < 100; ++i)
    directory.add("u" + std::to_string(i));
  auto gone = *directory.find("u50");
  directory.remove(gone);
  CAF_CHECK(directory.add("another") == gone);
  CAF_CHECK_EQUAL(directory.handle_end(), 100u);
}

CAF_TEST(coming_and_going_does_not_grow_it) {
  user_directory directory;
  auto round = [&](int number) {
    for (int i = 0; i < 1000; ++i)
      directory.add(std::to_string(number) + "-" + std::to_string(i));
    for (int i = 0; i < 1000; ++i)
      directory.remove(
          *directory.find(std::to_string(number) + "-" + std::to_string(i)));
  };
  round(100);
  auto bytes = directory.byte_count();
  for (int number = 101; number < 200; ++number)
    round(number);
  CAF_CHECK_EQUAL(directory.byte_count(), bytes);
}
