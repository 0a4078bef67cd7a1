// SPDX-License-Identifier: MIT
#pragma once

#include "core/snapshot/byte_reader.hpp"
#include "core/snapshot/byte_writer.hpp"

#include <random>
#include <string>
#include <vector>

namespace fantail::test {

/// What `machine` writes, in small parts, put together again.
template <class Machine>
std::string bytes_of(const Machine& machine) {
  byte_writer out{1'000, 7};
  machine.save(out);
  std::string result;
  for (auto& part : out.take())
    result += part.substr(7);
  return result;
}

/// Calls `load(byte_reader&)` for the bytes with something wrong in them:
/// flipped, overwritten, cut, repeated, or pure chance. Returns how often that
/// was found out; the rest may have been harmless. A crash is the failure.
template <class Load>
size_t load_damaged(const std::string& bytes, uint64_t seed, size_t rounds,
                    Load load) {
  std::mt19937_64 random{seed};
  auto pick = [&](size_t below) {
    return static_cast<size_t>(random() % below);
  };
  size_t found = 0;
  for (size_t round = 0; round < rounds; ++round) {
    auto x = bytes;
    switch (pick(6)) {
    case 0:
      x[pick(x.size())] ^= static_cast<char>(1 << pick(8));
      break;
    case 1:
      for (auto left = 1 + pick(20); left > 0; --left)
        x[pick(x.size())] = static_cast<char>(random());
      break;
    case 2:
      x.resize(pick(x.size()));
      break;
    case 3:
      x.insert(pick(x.size()), x.substr(pick(x.size()), pick(200)));
      break;
    case 4: {
      // Counts and handles are numbers of 4 bytes and more.
      auto value = pick(2) == 0 ? UINT64_MAX : random() % 70'000;
      auto at = pick(x.size());
      x.replace(at, std::min<size_t>(8, x.size() - at),
                reinterpret_cast<const char*>(&value),
                std::min<size_t>(8, x.size() - at));
      break;
    }
    default:
      x.resize(pick(3'000));
      for (auto& c : x)
        c = static_cast<char>(pick(4) == 0 ? random() : 0);
    }
    byte_reader in{x};
    load(in);
    found += !in.ok();
  }
  return found;
}

} // namespace fantail::test
