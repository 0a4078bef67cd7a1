// SPDX-License-Identifier: MIT
#pragma once

#include "bench/contender.hpp"
#include "bench/load_generator.hpp"
#include "bench/presence_load.hpp"
#include "bench/progress_line.hpp"
#include "bench/receivers.hpp"

#include <atomic>
#include <cstdint>

namespace fantail::bench {

/// A load in an open loop, and how long it is measured.
struct paced_run_options {
  double rate = 1'000;
  /// Instances per channel.
  uint16_t spread = 1;
  duration warm_up = 2s;
  duration length = 20s;
  /// Presence changes per second beside it; 0 = none.
  double presence_changes = 0;
};

/// What one side did under that load.
struct paced_run_result {
  uint64_t published = 0;
  /// What the streams hold of it.
  uint64_t stored = 0;
  /// Deliveries that should have come, and those that did.
  uint64_t expected = 0;
  uint64_t delivered = 0;
  frame_tally::counters frames;
  latency_summary end_to_end;
  /// From the program itself: read callback to return of the socket write.
  latency_summary inside;
  /// Times of the publishes minus the intended times.
  latency_summary lateness;
  /// Chat events published and not yet delivered everywhere, sampled every 10
  /// ms.
  uint64_t lag_p50 = 0;
  uint64_t lag_p99 = 0;
  uint64_t lag_max = 0;
  presence_load::churn_outcome presence;
  /// Core seconds per second of the measurement.
  double cpu_program = 0;
  double cpu_server = 0;
  double cpu_bench = 0;
  uint64_t resident_bytes = 0;

  /// Everything arrived, once.
  bool is_complete() const noexcept {
    return delivered == expected && frames.repeats == 0 && frames.gaps == 0
           && frames.malformed == 0;
  }
};

json::value to_json(const paced_run_result& x);

/// The parts of a run; they outlive it. `presence` is needed for presence
/// changes only.
struct paced_run_parts {
  test_bed& bed;
  contender& program;
  receivers& sink;
  load_generator& source;
  presence_load* presence = nullptr;
  progress_line& progress;
  const std::atomic<bool>& stop;
};

/// Loads a program that is ready, and waits until everything has arrived or
/// nothing comes any more.
paced_run_result run_paced(const paced_run_parts& parts,
                           const paced_run_options& options);

} // namespace fantail::bench
