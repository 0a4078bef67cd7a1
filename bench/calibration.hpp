// SPDX-License-Identifier: MIT
#pragma once

#include "bench/test_bed.hpp"
#include "core/json.hpp"

#include <atomic>
#include <optional>
#include <string>

namespace fantail::bench {

/// What the platform gives to any program, next to the figures of a machine
/// with two cores that the floors are held against. A floor that is slow
/// because its machine is makes every router look good.
struct calibration {
  /// Pulling a backlog of 300 B from 8 streams in memory, events per second.
  double pull_rate = 0;
  /// Core publish of 32 KiB to five subscribers, MB delivered per second.
  double publish_rate = 0;

  static constexpr double pull_rate_reference = 377'000;
  static constexpr double publish_rate_reference = 840;
  static constexpr double share_min = 0.8;

  /// The figures and their share of the references, in one line.
  std::string summary() const;

  /// Why comparisons do not count, if they do not.
  std::optional<std::string> problem() const;
};

json::value to_json(const calibration& x);

struct calibration_options {
  std::string program;
  std::string server = "nats-server";
  uint64_t events = 500'000;
  uint64_t publishes = 20'000;
  /// The best of so many attempts counts: what the machine can do.
  unsigned attempts = 3;
  const std::atomic<bool>* stop = nullptr;
};

/// Measures it, on a server of its own. Throws bench_error and interrupted.
calibration calibrate(const calibration_options& options);

} // namespace fantail::bench
