// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

namespace fantail::bench {

/// A fast seeded source of random numbers: xoshiro256++, its state filled by
/// splitmix64, so that neighbouring seeds give unrelated numbers.
/// Source: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number
/// generators", ACM Transactions on Mathematical Software 47(4), 2021.
class fast_random {
public:
  explicit fast_random(uint64_t seed) {
    for (auto& word : state_)
      word = mix(seed += 0x9E3779B97F4A7C15ull);
  }

  uint64_t operator()() noexcept {
    auto result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    auto shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [0, bound), up to a bias of bound / 2^32.
  uint32_t below(uint32_t bound) noexcept {
    return static_cast<uint32_t>(((*this)() >> 32) * bound >> 32);
  }

  /// Uniform in [0, 1).
  double unit() noexcept {
    return static_cast<double>((*this)() >> 11) * 0x1.0p-53;
  }

  /// A number that looks random but depends on `x` alone (splitmix64).
  static uint64_t mix(uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
  }

private:
  uint64_t state_[4];
};

} // namespace fantail::bench
