// SPDX-License-Identifier: MIT
#pragma once

#include "bench/population.hpp"
#include "bench/test_bed.hpp"
#include "core/histogram.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fantail::bench {

/// The users of a benchmark: brings a population online, and keeps part of it
/// going away and coming back. Every user has one session.
class presence_load {
public:
  struct churn_outcome {
    uint64_t changes = 0;
    uint64_t answered = 0;
    /// From the intended time of a change to the answer that it is in effect.
    histogram answer_latency;
  };

  presence_load(const std::string& url, population_config world);
  presence_load(const test_bed& bed, population_config world)
      : presence_load(bed.url(), world) {}
  ~presence_load();

  const population& world() const noexcept { return world_; }

  /// Brings every user online with its channels, and waits until all of that
  /// is in effect. `progress` gets the share done, 0 to 1. Throws bench_error
  /// if a user is refused or nothing moves for a long time.
  void fill(const std::function<void(double)>& progress,
            const std::atomic<bool>& stop);

  /// In an open loop users go offline and, half a second later, come back; the
  /// membership stays known, so no channels are sent. Ends with everybody
  /// online. Answers come from a router only.
  churn_outcome churn(double changes_per_second, duration length,
                      const std::atomic<bool>& stop);

  /// In an open loop users who are online say so again, each with all of its
  /// channels, a tenth of which are others than the last time.
  churn_outcome renew(double changes_per_second, duration length,
                      const std::atomic<bool>& stop);

private:
  struct change;

  void begin_count();
  churn_outcome end_count(uint64_t changes);
  channel_list renewed_channels(uint32_t user, uint64_t generation);
  void publish_change(const change& x);
  void on_answer(const nats::message& x);

  population world_;
  nats::event_loop loop_;
  std::unique_ptr<nats::connection> connection_;
  std::string answer_inbox_;
  std::string ack_inbox_;
  std::atomic<uint64_t> answered_ = 0;
  /// Changes renew has made so far.
  uint64_t renewed_ = 0;
  std::vector<uint32_t> channels_;
  // The rest belongs to the loop's thread.
  histogram latency_;
};

} // namespace fantail::bench
