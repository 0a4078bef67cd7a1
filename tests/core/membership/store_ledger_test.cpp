// SPDX-License-Identifier: MIT
#define CAF_SUITE core.membership.store_ledger

#include "core/membership/member_cache.hpp"
#include "core/membership/store_ledger.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <list>
#include <map>
#include <random>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

constexpr uint64_t slack = 2'000;

/// The stream, naively: every record with its user.
struct stream {
  struct record {
    uint32_t user;
    uint32_t bytes;
  };

  std::map<uint64_t, record> records;
  std::map<uint32_t, uint64_t> newest;
  store_ledger ledger{slack};
  uint64_t last = 0;
  uint64_t appended_bytes = 0;
  uint64_t moved_bytes = 0;

  void put(uint32_t user, uint32_t bytes) {
    records[++last] = {user, bytes};
    newest[user] = last;
    appended_bytes += bytes;
    CAF_REQUIRE(ledger.put(user_handle{user}, {last, bytes}));
  }

  void drop(uint32_t user) {
    newest.erase(user);
    ledger.drop(user_handle{user});
  }

  /// Does what the ledger wants done.
  void clean(uint64_t bytes_max) {
    std::vector<store_ledger::candidate> movable;
    ledger.list_movable(bytes_max, movable);
    for (auto& x : movable) {
      CAF_REQUIRE_EQUAL(newest.at(x.user.value), x.at.sequence);
      CAF_REQUIRE_EQUAL(records.at(x.at.sequence).bytes, x.at.bytes);
      put(x.user.value, x.at.bytes);
      moved_bytes += x.at.bytes;
    }
    if (auto before = ledger.purgeable(500)) {
      records.erase(records.begin(), records.lower_bound(before));
      ledger.purged(before);
    }
  }

  void check() const {
    if (auto problem = ledger.check_invariants())
      CAF_FAIL(*problem);
    uint64_t live = 0, total = 0;
    for (auto& [user, sequence] : newest) {
      CAF_REQUIRE(records.contains(sequence));
      CAF_REQUIRE_EQUAL(ledger.find(user_handle{user}).sequence, sequence);
      live += records.at(sequence).bytes;
    }
    for (auto& [sequence, x] : records)
      total += x.bytes;
    CAF_REQUIRE_EQUAL(ledger.bytes_live(), live);
    CAF_REQUIRE_EQUAL(ledger.bytes_in_stream(), total);
    CAF_REQUIRE_EQUAL(ledger.records_live(), newest.size());
  }
};

} // namespace

CAF_TEST(the stream stays below twice its live bytes under random updates) {
  std::mt19937_64 random{test_seed()};
  stream x;
  x.ledger.settle();
  constexpr uint32_t users = 500;
  for (int i = 0; i < 100'000; ++i) {
    auto user = static_cast<uint32_t>(random() % users);
    if (random() % 50 == 0)
      x.drop(user);
    else
      x.put(user, static_cast<uint32_t>(20 + random() % 100));
    x.clean(1'000);
    // What is purged in steps is there a little longer.
    CAF_REQUIRE_LESS_OR_EQUAL(x.ledger.bytes_in_stream(),
                              2 * x.ledger.bytes_live() + slack + 1'000);
    if (i % 1'000 == 0)
      x.check();
  }
  x.check();
  CAF_MESSAGE("moved " << x.moved_bytes << " of " << x.appended_bytes);
  CAF_CHECK_LESS(x.moved_bytes * 3, x.appended_bytes);
}

CAF_TEST(users who leave for good leave nothing behind) {
  stream x;
  x.ledger.settle();
  for (uint32_t user = 0; user < 1'000; ++user)
    x.put(user, 100);
  for (uint32_t user = 0; user < 1'000; ++user)
    x.drop(user);
  x.clean(1'000);
  CAF_CHECK_EQUAL(x.ledger.bytes_live(), 0u);
  CAF_CHECK_LESS_OR_EQUAL(x.records.size(), 1u);
}

CAF_TEST(the only live record may be replaced) {
  stream x;
  x.ledger.settle();
  for (int i = 0; i < 20; ++i) {
    x.put(0, 1'000);
    x.check();
    // Whose answer came after its user was forgotten.
    x.records[++x.last] = {1, 600};
    CAF_REQUIRE(x.ledger.put_dead({x.last, 600}));
    x.clean(5'000);
    x.check();
    CAF_REQUIRE(x.records.contains(x.newest.at(0)));
  }
}

CAF_TEST(records found at the start are claimed in any order) {
  std::mt19937_64 random{test_seed()};
  store_ledger ledger{0};
  std::map<uint32_t, uint64_t> wanted;
  std::vector<uint32_t> order(50);
  for (uint32_t i = 0; i < order.size(); ++i)
    order[i] = i;
  for (uint64_t sequence = 1; sequence <= 200; ++sequence) {
    CAF_REQUIRE(ledger.put_dead({sequence * 3, 10}));
    wanted[static_cast<uint32_t>(random() % order.size())] = sequence * 3;
  }
  CAF_CHECK(!ledger.put_dead({30, 10}));
  std::ranges::shuffle(order, random);
  for (auto user : order) {
    if (!wanted.contains(user))
      continue;
    CAF_CHECK(!ledger.claim(user_handle{user}, {wanted[user] + 1, 10}));
    CAF_CHECK(ledger.claim(user_handle{user}, {wanted[user], 10}));
    CAF_CHECK(!ledger.claim(user_handle{user + 1'000}, {wanted[user], 10}));
  }
  std::vector<store_ledger::candidate> movable;
  ledger.list_movable(1'000, movable);
  CAF_CHECK(movable.empty());
  CAF_CHECK_EQUAL(ledger.purgeable(1), 0u);
  ledger.settle();
  CAF_CHECK(!ledger.check_invariants());
  CAF_CHECK_EQUAL(ledger.records_live(), wanted.size());
  ledger.list_movable(1'000, movable);
  CAF_CHECK(!movable.empty());
}

CAF_TEST(the cache names those who went first until it is small enough) {
  std::mt19937_64 random{test_seed()};
  constexpr uint64_t bound = 300;
  member_cache cache{bound};
  std::list<std::pair<uint32_t, uint32_t>> model;
  auto find = [&](uint32_t user) {
    return std::ranges::find(model, user,
                             &std::pair<uint32_t, uint32_t>::first);
  };
  time_point now{1h};
  std::vector<user_handle> named;
  for (int i = 0; i < 20'000; ++i) {
    now += 10ms;
    auto user = static_cast<uint32_t>(random() % 60);
    auto size = static_cast<uint32_t>(random() % 30);
    auto known = find(user);
    if (random() % 2 == 0) {
      cache.add(user_handle{user}, size);
      if (known == model.end())
        model.emplace_back(user, size);
      else
        known->second = size;
    } else {
      CAF_REQUIRE_EQUAL(cache.remove(user_handle{user}), known != model.end());
      if (known != model.end())
        model.erase(known);
    }
    if (auto problem = cache.check_invariants())
      CAF_FAIL(*problem);
    uint64_t total = 0;
    for (auto& x : model)
      total += x.second;
    CAF_REQUIRE_EQUAL(cache.stats().memberships, total);
    CAF_REQUIRE_EQUAL(cache.stats().users, model.size());
    named.clear();
    cache.list_excess(now, 0s, 100, named);
    std::vector<user_handle> wanted;
    for (auto& [user, count] : model) {
      if (total <= bound)
        break;
      total -= count;
      wanted.push_back(user_handle{user});
    }
    CAF_REQUIRE(named == wanted);
  }
}

CAF_TEST(a user is named again only after a while) {
  member_cache cache{10};
  time_point now{1h};
  for (uint32_t user = 0; user < 5; ++user)
    cache.add(user_handle{user}, 10);
  std::vector<user_handle> named;
  cache.list_excess(now, 5s, 2, named);
  CAF_CHECK((named == std::vector{user_handle{0}, user_handle{1}}));
  named.clear();
  cache.list_excess(now + 4s, 5s, 2, named);
  CAF_CHECK(named.empty());
  cache.remove(user_handle{0});
  cache.list_excess(now + 4s, 5s, 2, named);
  CAF_CHECK((named == std::vector{user_handle{2}}));
  named.clear();
  cache.list_excess(now + 5s, 5s, 9, named);
  CAF_CHECK((named == std::vector{user_handle{1}, user_handle{3}}));
}
