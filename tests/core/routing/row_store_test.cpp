// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.row_store

#include "core/limits.hpp"
#include "core/routing/row_store.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <map>
#include <random>

using namespace fantail;

namespace {

constexpr uint32_t row_count = 40;

struct fixture {
  fixture() {
    for (row_id row; row.value < row_count; ++row.value)
      store.open(row);
  }

  static instance_index at(size_t x) {
    return instance_index{static_cast<uint16_t>(x)};
  }

  std::vector<instance_index> listed(row_id row) {
    std::vector<instance_index> result;
    store.for_each_instance(row, [&](auto x) { result.push_back(x); });
    return result;
  }

  row_store store;
  row_id row{7};
};

using model_row = std::map<instance_index, uint32_t>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(row_store_tests, fixture)

CAF_TEST(the first user occupies a place and the last one vacates it) {
  CAF_CHECK(store.add(row, at(3)));
  CAF_CHECK(!store.add(row, at(3)));
  CAF_CHECK_EQUAL(store.count(row, at(3)), 2u);
  CAF_CHECK(!store.remove(row, at(3)));
  CAF_CHECK(store.remove(row, at(3)));
  CAF_CHECK(!store.contains(row, at(3)));
  CAF_CHECK_EQUAL(store.spread(row), 0u);
}

CAF_TEST(instances are listed in order in every encoding) {
  size_t unordered = 0;
  for (size_t n = 1; n <= limits::instances_max; ++n) {
    store.add(row, at(limits::instances_max - n));
    if (n % 97 == 0 || n < 10) {
      auto list = listed(row);
      unordered
          += list.size() != n || !std::is_sorted(list.begin(), list.end());
    }
  }
  CAF_CHECK_EQUAL(unordered, 0u);
  CAF_CHECK(store.check_invariants(row));
}

CAF_TEST(a dense row makes room for an instance behind its columns) {
  for (size_t i = 0; i < 64; ++i)
    for (int repeat = 0; repeat < 20; ++repeat)
      store.add(row, at(i));
  CAF_CHECK(store.add(row, at(64)));
  CAF_CHECK(store.add(row, at(1000)));
  CAF_CHECK(!store.contains(row, at(999)));
  CAF_CHECK_EQUAL(store.count(row, at(1000)), 1u);
  CAF_CHECK_EQUAL(store.count(row, at(63)), 20u);
  CAF_CHECK(store.check_invariants(row));
}

CAF_TEST(a count has no upper bound) {
  constexpr uint32_t many = 140'000;
  for (size_t i = 0; i < 6; ++i)
    store.add(row, at(i * 50));
  for (uint32_t i = 1; i < many; ++i)
    store.add(row, at(100));
  CAF_CHECK_EQUAL(store.count(row, at(100)), many);
  // The row changes its encoding under the large count, twice.
  for (size_t i = 0; i < 500; ++i)
    for (int repeat = 0; repeat < 20; ++repeat)
      store.add(row, at(1000 + i));
  for (size_t i = 0; i < 500; ++i)
    for (int repeat = 0; repeat < 20; ++repeat)
      store.remove(row, at(1000 + i));
  CAF_CHECK_EQUAL(store.count(row, at(100)), many);
  CAF_CHECK(store.check_invariants(row));
  for (uint32_t i = 1; i < many; ++i)
    if (store.remove(row, at(100)))
      CAF_FAIL("vacated too early at " << i);
  CAF_CHECK(store.remove(row, at(100)));
  CAF_CHECK_EQUAL(store.spread(row), 5u);
  CAF_CHECK(store.check_invariants(row));
}

CAF_TEST(millions of random steps agree with a map) {
  std::mt19937_64 random{test_seed()};
  std::vector<model_row> model(row_count);
  size_t wrong = 0, broken = 0;
  for (int step = 0; step < 2'000'000; ++step) {
    row_id target{static_cast<uint32_t>(random() % row_count)};
    // Each row has its own spread: from a handful of instances to them all.
    auto bound
        = std::min<size_t>(limits::instances_max, 2u << target.value / 3);
    auto instance = at(random() % bound);
    auto& expected = model[target.value];
    auto growing = step / 200'000 % 2 == 0;
    if (random() % 16 < (growing ? 9u : 6u)) {
      wrong += store.add(target, instance) != (expected[instance]++ == 0);
    } else if (auto i = expected.find(instance); i != expected.end()) {
      wrong += store.remove(target, instance) != (--i->second == 0);
      if (i->second == 0)
        expected.erase(i);
    }
    auto i = expected.find(instance);
    wrong += store.count(target, instance)
             != (i == expected.end() ? 0 : i->second);
    if (step % 10'000 == 0) {
      broken += !store.check_invariants(target);
      auto list = listed(target);
      wrong += !std::ranges::equal(list, expected, {}, {},
                                   &model_row::value_type::first);
    }
  }
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK_EQUAL(broken, 0u);
}

CAF_TEST(equal rows have equal digests whatever their history) {
  row_id other{8};
  for (size_t i = 0; i < 30; ++i)
    for (int repeat = 0; repeat < 20; ++repeat)
      store.add(row, at(i));
  for (size_t i = 0; i < 30; ++i)
    for (int repeat = 0; repeat < 17; ++repeat)
      store.remove(row, at(i));
  for (size_t i = 30; i-- > 0;)
    for (int repeat = 0; repeat < 3; ++repeat)
      store.add(other, at(i));
  CAF_CHECK_EQUAL(store.digest(row, 1), store.digest(other, 1));
  CAF_CHECK(store.digest(row, 1) != store.digest(row, 2));
  store.add(other, at(3));
  CAF_CHECK(store.digest(row, 1) != store.digest(other, 1));
}

CAF_TEST(an emptied row gives its memory back) {
  auto before = store.byte_count();
  for (size_t i = 0; i < 2000; ++i)
    store.add(row, at(i));
  for (size_t i = 0; i < 2000; ++i)
    store.remove(row, at(i));
  CAF_CHECK_EQUAL(store.spread(row), 0u);
  CAF_CHECK_LESS(store.byte_count(), before + 2000);
}

CAF_TEST_FIXTURE_SCOPE_END()
