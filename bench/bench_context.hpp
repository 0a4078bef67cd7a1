// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench.hpp"
#include "bench/calibration.hpp"
#include "bench/channel_map.hpp"
#include "bench/contender.hpp"
#include "bench/findings.hpp"
#include "bench/progress_line.hpp"
#include "core/ids.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fantail::bench {

/// What all benchmarks of one call share: options, progress, and what the
/// platform can do, measured once. One thread.
class bench_context {
public:
  explicit bench_context(const bench_options& options);

  const bench_options& options() const noexcept { return options_; }
  delivery_format format() const noexcept { return format_; }
  floor_output output() const noexcept;
  /// The storages to measure with.
  std::vector<storage_kind> storages() const;
  /// The storage of benchmarks that have one.
  storage_kind storage() const { return storages().front(); }

  const std::atomic<bool>& stop() const noexcept { return *stop_; }
  /// Throws interrupted when the user wants to stop.
  void check_stop() const;

  progress_line& progress() noexcept { return progress_; }

  test_bed_options bed_options(storage_kind storage) const;

  /// `map_path` is that of floor_options.
  std::unique_ptr<contender> floor(test_bed& bed,
                                   const channel_placement& placement,
                                   const std::string& map_path = {}) const;
  std::unique_ptr<contender> node(test_bed& bed) const;

  /// Starts a report with the conditions all have in common.
  bench_report report(const std::string& bench, const test_bed& bed,
                      const channel_placement& placement) const;

  /// Adds the reason to `x` if this machine is slower than the figures the
  /// floors are measured against.
  void add_calibration(bench_report& x);

private:
  bench_options options_;
  delivery_format format_;
  const std::atomic<bool>* stop_;
  progress_line progress_;
  std::optional<calibration> calibration_;
};

} // namespace fantail::bench
