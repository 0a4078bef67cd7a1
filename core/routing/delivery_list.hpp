// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"

#include <cstdint>
#include <vector>

namespace fantail {

/// Which events of one pull go to which instances of one egress group. Holds
/// indices only; the bytes stay in the pull.
struct delivery_list {
  struct item {
    /// Index into the pull.
    uint32_t event;
    /// The event's instances are instances[end of the item before, end).
    uint32_t end;
  };

  std::vector<item> items;
  std::vector<instance_index> instances;

  bool empty() const noexcept { return items.empty(); }
  void clear() {
    items.clear();
    instances.clear();
  }
};

} // namespace fantail
