// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.user_index

#include "core/routing/row_list.hpp"
#include "core/routing/user_index.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace fantail;

namespace {

user_key key(uint16_t home, uint32_t user) {
  return {presence_shard_id{home}, user_handle{user}};
}

std::vector<row_id> random_rows(std::mt19937_64& random, size_t count) {
  std::set<row_id> rows;
  while (rows.size() < count) {
    auto wide = static_cast<uint32_t>(random());
    rows.insert(row_id{wide >> (random() % 32)});
  }
  return {rows.begin(), rows.end()};
}

} // namespace

CAF_TEST(a row list survives its encoding) {
  std::mt19937_64 random{test_seed()};
  for (size_t count : {0, 1, 2, 127, 128, 5000}) {
    auto rows = random_rows(random, count);
    std::vector<char> bytes(row_list::encoded_size(rows) + 1, '!');
    row_list::encode(rows, bytes.data());
    std::vector<row_id> back;
    row_list::decode(bytes.data(), back);
    CAF_CHECK(back == rows);
    CAF_CHECK_EQUAL(bytes.back(), '!');
    CAF_CHECK_EQUAL(row_list::count(bytes.data()), count);
  }
}

CAF_TEST(an unknown user has no rows and is nowhere) {
  user_index x;
  std::vector<row_id> rows;
  std::vector<instance_index> instances;
  x.rows_of(key(63, UINT32_MAX), rows);
  x.instances_of(key(3, 5), instances);
  CAF_CHECK(rows.empty());
  CAF_CHECK(instances.empty());
  CAF_CHECK(!x.remove_instance(key(3, 5), instance_index{1}));
}

CAF_TEST(the largest handle costs pages and nothing else) {
  user_index x;
  CAF_CHECK(x.add_instance(key(0, UINT32_MAX), instance_index{1}));
  CAF_CHECK_LESS(x.byte_count(), 64u << 20);
}

CAF_TEST(users agree with a map) {
  struct user {
    std::vector<row_id> rows;
    std::set<instance_index> instances;
  };
  std::mt19937_64 random{test_seed()};
  user_index x;
  std::map<std::pair<uint16_t, uint32_t>, user> model;
  size_t wrong = 0, broken = 0;
  for (int step = 0; step < 300'000; ++step) {
    auto home = static_cast<uint16_t>(random() % 3);
    auto handle = static_cast<uint32_t>(random() % 3000);
    auto who = key(home, handle);
    auto& expected = model[{home, handle}];
    instance_index instance{static_cast<uint16_t>(random() % 6)};
    switch (random() % 3) {
    case 0:
      wrong += x.add_instance(who, instance)
               != expected.instances.insert(instance).second;
      break;
    case 1:
      wrong += x.remove_instance(who, instance)
               != (expected.instances.erase(instance) > 0);
      break;
    default:
      expected.rows = random_rows(random, random() % 40);
      x.assign_rows(who, expected.rows);
    }
    std::vector<row_id> rows;
    std::vector<instance_index> instances;
    x.rows_of(who, rows);
    x.instances_of(who, instances);
    std::ranges::sort(instances);
    wrong += rows != expected.rows
             || !std::ranges::equal(instances, expected.instances);
    if (step % 50'000 == 0)
      broken += !x.check_invariants();
  }
  uint64_t online = 0, memberships = 0;
  for (auto& [id, who] : model) {
    online += !who.instances.empty();
    memberships += who.rows.size();
  }
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK_EQUAL(broken, 0u);
  CAF_CHECK_EQUAL(x.users_online(), online);
  CAF_CHECK_EQUAL(x.memberships(), memberships);
}
