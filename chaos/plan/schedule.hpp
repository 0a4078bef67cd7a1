// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/plan/plan.hpp"

#include <cstdint>
#include <vector>

namespace fantail::chaos {

/// One fault, planned.
struct scheduled_fault {
  /// Since the start of the load.
  duration at{};
  /// Which of the plan's faults.
  size_t fault = 0;
  duration lasts{};
  /// Chooses among the targets there are.
  uint64_t pick = 0;

  bool operator==(const scheduled_fault&) const = default;
};

/// What breaks when: a pure function of its arguments, the same on every
/// machine. Phases follow each other; in a share `quiet` of them, never the
/// first, nothing breaks, and in the others any subset of the plan's faults.
/// Nothing begins in the last interval, and nothing lasts beyond the end.
std::vector<scheduled_fault> make_schedule(const plan& what, uint64_t seed,
                                           duration length);

} // namespace fantail::chaos
