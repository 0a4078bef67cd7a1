// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace fantail {

/// A profile of this process, in a form that `pprof` reads, or why there is
/// none.
struct profile {
  enum class outcome : uint8_t {
    taken,
    /// Somebody else takes one; try again later.
    busy,
    /// This build or this process cannot.
    unavailable,
    /// The node stops.
    cancelled,
  };

  outcome what = outcome::taken;
  /// The profile, or the reason in words for the user.
  std::string bytes;
};

} // namespace fantail
