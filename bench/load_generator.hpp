// SPDX-License-Identifier: MIT
#pragma once

#include "bench/channel_map.hpp"
#include "bench/chat_body.hpp"
#include "bench/population.hpp"
#include "bench/test_bed.hpp"
#include "core/histogram.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace fantail::bench {

struct load_options {
  uint32_t channels = 1;
  /// Exponent of the Zipf distribution of the channels; 0 = all alike.
  double skew = 0;
  size_t body_bytes = 300;
  uint64_t seed = 1;
  /// Where the channels' members are, to count deliveries; it outlives the
  /// generator. Not needed by others.
  const channel_map* members = nullptr;
  /// Number of the first of the channels.
  uint32_t first_channel = 0;
  /// Whether bodies carry the time; without it nobody measures a latency.
  bool is_timed = true;
};

/// A producer of chat events. All of them are published to
/// `messages.send.{channel}` through JetStream, without headers. `store` counts
/// every acknowledgement; `publish` asks for few, as one that acknowledges all
/// spends a third of the server on the generator, and the streams say better
/// what was stored.
///
/// One thread at a time may publish; counters may be read by any.
class load_generator {
public:
  struct outcome {
    uint64_t published = 0;
    /// Time of the publish minus the intended time.
    histogram lateness;
    /// The most the socket had not taken.
    size_t unwritten_bytes_max = 0;
    double seconds = 0;
  };

  load_generator(const test_bed& bed, load_options options);
  ~load_generator();

  /// Stores `events` as fast as the server takes them; returns when all are
  /// acknowledged. Throws bench_error when some are refused.
  outcome store(uint64_t events);

  /// Publishes `rate` events per second for `length`, in an open loop: each
  /// event has its time, and nothing that happens moves it. `stop`, if it
  /// becomes true, ends it early.
  outcome publish(double rate, duration length, const std::atomic<bool>& stop);

  /// Waits until the acknowledgements that were asked for are here; false after
  /// `timeout`.
  bool wait_acknowledged(duration timeout) const;

  uint64_t published() const noexcept { return published_; }
  /// Deliveries that everything published comes to; 0 without `members`.
  uint64_t deliveries() const noexcept { return deliveries_; }

private:
  void publish_one(int64_t intended_at_ns, bool is_acknowledged);

  traffic_sampler channels_;
  uint32_t first_channel_;
  chat_body body_;
  const channel_map* members_;
  std::string subject_;
  std::atomic<uint64_t> published_ = 0;
  /// Acknowledgements asked for, and what came.
  std::atomic<uint64_t> asked_ = 0;
  std::atomic<uint64_t> deliveries_ = 0;
  std::atomic<uint64_t> stored_ = 0;
  std::atomic<uint64_t> refused_ = 0;
  nats::event_loop loop_;
  std::unique_ptr<nats::connection> connection_;
  std::string inbox_;
};

} // namespace fantail::bench
