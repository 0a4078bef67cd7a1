// SPDX-License-Identifier: MIT
#include "chaos/checker/findings.hpp"

namespace fantail::chaos {

std::string_view to_string(violation x) {
  static constexpr std::string_view words[violation_kinds]
      = {"lost",          "out of order",
         "excess",        "repeated",
         "stale epoch",   "garbage",
         "loss reported", "presence wrong",
         "counter wrong", "unexpected escalation",
         "growth"};
  return words[static_cast<size_t>(x)];
}

std::string_view to_string(verdict x) {
  switch (x) {
  case verdict::passed:
    return "passed";
  case verdict::failed:
    return "failed";
  default:
    return "invalid";
  }
}

double findings::decided_share() const {
  auto all = decided + undecided;
  return all == 0 ? 0 : static_cast<double>(decided) / static_cast<double>(all);
}

std::string findings::invalid_because(double decided_min) const {
  if (!is_whole)
    return "the history has no end";
  if (decided == 0)
    return "no delivery was due";
  if (decided_share() < decided_min)
    return "too few pairs of event and instance could be decided";
  for (auto& [kind, x] : recoveries)
    if (x.faults == 0 && x.skipped > 0)
      return "no " + kind + " could be carried out";
  return {};
}

} // namespace fantail::chaos
