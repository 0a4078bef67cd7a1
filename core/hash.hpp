// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace fantail {

/// FNV-1a, 32 bits: the hash behind nats-server's `partition()` mapping, so
/// both sides agree on the shard of a token.
/// Source: http://www.isthe.com/chongo/tech/comp/fnv/ and `accounts.go` of
/// nats-server.
constexpr uint32_t fnv1a_32(std::string_view token) {
  uint32_t hash = 2166136261u;
  for (char c : token) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 16777619u;
  }
  return hash;
}

/// The shard that owns `channel` when there are `count` shards (> 0).
constexpr shard_id shard_of(std::string_view channel, uint16_t count) {
  return shard_id{static_cast<uint16_t>(fnv1a_32(channel) % count)};
}

/// The presence shard that owns `user` when there are `count` of them (> 0).
constexpr presence_shard_id presence_shard_of(std::string_view user,
                                              uint16_t count) {
  return presence_shard_id{static_cast<uint16_t>(fnv1a_32(user) % count)};
}

/// A fast 64-bit hash for in-memory tables, independent of fnv1a_32 (all
/// channels of one shard agree in that one's low bits). Multiply-and-fold on
/// eight bytes at a time, after the "mum" construction of wyhash.
inline uint64_t table_hash(std::string_view key) {
  constexpr uint64_t k0 = 0x9E3779B97F4A7C15ull;
  constexpr uint64_t k1 = 0xD6E8FEB86659FD93ull;
  auto fold = [](uint64_t a, uint64_t b) {
    auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product)
           ^ static_cast<uint64_t>(product >> 64);
  };
  uint64_t state = k0 ^ (key.size() * k1);
  auto* bytes = key.data();
  auto left = key.size();
  while (left >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes, 8);
    state = fold(state ^ word, k1);
    bytes += 8;
    left -= 8;
  }
  uint64_t tail = 0;
  std::memcpy(&tail, bytes, left);
  return fold(state ^ tail, k0 ^ left);
}

/// The life of a log that was created at `created_at`, as the server says it,
/// whose first position got the version `version_base` + 1.
inline log_life log_life_of(std::string_view created_at,
                            uint64_t version_base) {
  auto mixed = table_hash(created_at) ^ (version_base * 0x9E3779B97F4A7C15ull);
  return log_life{mixed | 1};
}

} // namespace fantail
