// SPDX-License-Identifier: MIT
#pragma once

#include "bench/test_bed.hpp"
#include "client/instance.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace fantail::bench {

/// A notification instance of the client library on a connection of its own
/// that can stop reading its socket for a while, as a service does that hangs.
/// Checks that every event comes once and in the order of its shard.
///
/// Any thread may call, but not the loop's.
class slow_reader {
public:
  /// Registers; throws bench_error if nobody answers. `bed` has to live
  /// longer.
  slow_reader(const test_bed& bed, uint16_t instance, duration timeout);
  ~slow_reader();

  /// Nothing is read, written or acknowledged until `resume`.
  void stop_reading();
  void resume();

  uint64_t events() const noexcept { return events_; }
  /// Events that came again or too early.
  uint64_t faults() const noexcept { return faults_; }
  /// Events that the stream had lost.
  uint64_t losses() const noexcept { return losses_; }

private:
  void hold();

  std::atomic<uint64_t> events_ = 0;
  std::atomic<uint64_t> faults_ = 0;
  std::atomic<uint64_t> losses_ = 0;
  /// Newest position per shard; of the loop's thread.
  std::vector<position> newest_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopped_ = false;
  nats::event_loop loop_;
  std::unique_ptr<nats::connection> connection_;
  std::unique_ptr<client::instance> self_;
};

} // namespace fantail::bench
