// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/history/record.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fantail::chaos {

/// A figure at the first look, at the last one, and at its highest.
struct usage_range {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t max = 0;
};

/// What the node's process took over a run, and whether that grew. A node that
/// was started anew goes on with the figures of its earlier life.
///
/// Pure and not thread safe.
class usage_log {
public:
  /// Connections and files that may be open at the moment of a look.
  static constexpr uint64_t files_slack = 32;
  /// Memory may end above the highest of the first third of the run by a
  /// quarter and this: what is freed is not given back at once.
  static constexpr uint64_t bytes_slack = 64ull << 20;

  void take(const usage_seen& x);

  uint64_t looks() const noexcept { return seen_.size(); }
  usage_range resident_bytes() const;
  usage_range open_files() const;

  /// What has grown, in words; empty if nothing has.
  std::vector<std::string> growth() const;

private:
  std::vector<usage_seen> seen_;
};

} // namespace fantail::chaos
