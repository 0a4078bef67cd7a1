// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.slab_pool

#include "core/routing/slab_pool.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <cstring>
#include <random>
#include <vector>

using namespace fantail;

namespace {

struct block {
  slab_pool::handle handle;
  size_t bytes;
  char mark;
};

bool is_intact(const slab_pool& pool, const block& x) {
  auto* at = pool.at(x.handle);
  for (size_t i = 0; i < x.bytes; ++i)
    if (at[i] != x.mark)
      return false;
  return true;
}

} // namespace

CAF_TEST(a block holds what was asked for and wastes at most an eighth) {
  slab_pool pool;
  size_t too_small = 0, too_large = 0;
  for (size_t bytes = 1; bytes <= 70'000; ++bytes) {
    auto rounded = slab_pool::rounded(bytes);
    too_small += rounded < bytes;
    too_large += rounded > bytes + std::max<size_t>(7, bytes / 8);
  }
  CAF_CHECK_EQUAL(too_small, 0u);
  CAF_CHECK_EQUAL(too_large, 0u);
  auto x = pool.allocate(100'000);
  CAF_CHECK_EQUAL(pool.capacity(x), 100'000u);
  CAF_CHECK(x != slab_pool::none);
}

CAF_TEST(live blocks keep their bytes whatever is allocated around them) {
  std::mt19937_64 random{test_seed()};
  slab_pool pool;
  std::vector<block> live;
  size_t damaged = 0, broken = 0;
  for (int step = 0; step < 300'000; ++step) {
    if (live.size() < 2000 && random() % 5 < 3) {
      auto bytes = 1 + random() % (random() % 50 == 0 ? 40'000 : 300);
      block x{pool.allocate(bytes), bytes, static_cast<char>(random())};
      std::memset(pool.at(x.handle), x.mark, bytes);
      live.push_back(x);
    } else if (!live.empty()) {
      auto& x = live[random() % live.size()];
      damaged += !is_intact(pool, x);
      pool.release(x.handle);
      x = live.back();
      live.pop_back();
    }
    if (step % 10'000 == 0)
      broken += !pool.check_invariants();
  }
  CAF_CHECK_EQUAL(damaged, 0u);
  CAF_CHECK_EQUAL(broken, 0u);
}

CAF_TEST(memory goes back to the heap when a population outgrows a class) {
  slab_pool pool;
  std::vector<slab_pool::handle> blocks(20'000, slab_pool::none);
  for (size_t bytes = 8; bytes <= 256; bytes += 8)
    for (auto& x : blocks) {
      if (x != slab_pool::none)
        pool.release(x);
      x = pool.allocate(bytes);
    }
  CAF_CHECK_LESS(pool.byte_count(), blocks.size() * 256 * 11 / 10);
  for (auto x : blocks)
    pool.release(x);
  CAF_CHECK(pool.check_invariants());
  CAF_CHECK_LESS(pool.byte_count(), 200'000u);
}
