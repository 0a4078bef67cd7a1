// SPDX-License-Identifier: MIT
#pragma once

#include "core/channel_list.hpp"
#include "core/hash.hpp"

#include <cstdint>
#include <string_view>

namespace fantail {

/// Tells two channel lists apart without keeping either: the number of names
/// and the sum of their hashes, whatever their order. A list that names a
/// channel twice differs from one that does not.
///
/// Two different lists agree by chance once in 2^64 comparisons.
struct list_digest {
  uint64_t hash = 0;
  uint32_t count = 0;

  void add(std::string_view name) {
    hash += table_hash(name);
    ++count;
  }

  bool operator==(const list_digest&) const = default;
};

inline list_digest digest_of(const channel_list& list) {
  list_digest result;
  for (auto name : list)
    result.add(name);
  return result;
}

} // namespace fantail
