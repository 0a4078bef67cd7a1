// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace fantail {

/// Decides whether a node is short of memory: from the moment it uses its
/// limit until it uses 5 % less, so that it does not change its mind with
/// every sample.
class memory_gate {
public:
  explicit memory_gate(uint64_t limit_bytes) : limit_(limit_bytes) {}

  /// Takes a sample. Returns true if that changed is_short().
  bool sample(uint64_t used_bytes) noexcept {
    auto was_short = is_short_;
    is_short_ = used_bytes >= (was_short ? limit_ - limit_ / 20 : limit_);
    return is_short_ != was_short;
  }

  bool is_short() const noexcept { return is_short_; }

private:
  uint64_t limit_;
  bool is_short_ = false;
};

} // namespace fantail
