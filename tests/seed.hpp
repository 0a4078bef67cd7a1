// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string_view>

namespace fantail {

/// The seed of a random test: the environment's FANTAIL_SEED, or a fresh one.
/// Prints it, so that a failing run can be repeated exactly.
inline uint64_t test_seed() {
  uint64_t result = 0;
  auto* text = std::getenv("FANTAIL_SEED");
  auto view = std::string_view{text ? text : ""};
  auto [end, problem]
      = std::from_chars(view.data(), view.data() + view.size(), result);
  if (view.empty() || problem != std::errc{}
      || end != view.data() + view.size()) {
    std::random_device device;
    result = (uint64_t{device()} << 32) | device();
  }
  std::cerr << "seed: FANTAIL_SEED=" << result << "\n";
  return result;
}

} // namespace fantail
