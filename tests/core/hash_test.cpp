// SPDX-License-Identifier: MIT
#define CAF_SUITE core.hash

#include "core/hash.hpp"

#include "caf/test/unit_test.hpp"

#include <set>
#include <string>
#include <vector>

using namespace fantail;

// Source of the vectors: http://www.isthe.com/chongo/tech/comp/fnv/
CAF_TEST(fnv1a_has_its_published_values) {
  CAF_CHECK_EQUAL(fnv1a_32(""), 0x811c9dc5u);
  CAF_CHECK_EQUAL(fnv1a_32("a"), 0xe40c292cu);
  CAF_CHECK_EQUAL(fnv1a_32("b"), 0xe70c2de5u);
  CAF_CHECK_EQUAL(fnv1a_32("foo"), 0xa9f37ed7u);
  CAF_CHECK_EQUAL(fnv1a_32("foobar"), 0xbf9cf968u);
}

CAF_TEST(bytes_beyond_ascii_count_as_unsigned) {
  // (2166136261 ^ 0xff) * 16777619 modulo 2^32, worked out by hand.
  CAF_CHECK_EQUAL(fnv1a_32("\xff"), 0x7a0b824eu);
}

// What `{{partition(n,1)}}` of nats-server does: FNV-1a of the token's bytes,
// modulo n. The remainders follow from the published hashes by hand.
CAF_TEST(shards_are_the_partitions_of_the_server) {
  CAF_CHECK_EQUAL(shard_of("foobar", 8).value, 0u);
  CAF_CHECK_EQUAL(shard_of("foo", 8).value, 7u);
  CAF_CHECK_EQUAL(shard_of("a", 8).value, 4u);
  CAF_CHECK_EQUAL(shard_of("b", 16).value, 5u);
  CAF_CHECK_EQUAL(shard_of("a", 1).value, 0u);
  CAF_CHECK_EQUAL(presence_shard_of("foo", 16).value, 7u);
}

CAF_TEST(channels_spread_evenly_over_shards) {
  std::vector<int> counts(8);
  for (int i = 0; i < 80'000; ++i)
    ++counts[shard_of("channel-" + std::to_string(i), 8).value];
  for (auto count : counts)
    CAF_CHECK(count > 9'000 && count < 11'000);
}

CAF_TEST(the_hash_of_tables_tells_similar_names_apart) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 50'000; ++i)
    seen.insert(table_hash("channel-" + std::to_string(i)));
  for (size_t size = 0; size <= 40; ++size)
    seen.insert(table_hash(std::string(size, '\0')));
  CAF_CHECK_EQUAL(seen.size(), 50'041u);
}
