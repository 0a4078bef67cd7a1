// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/limits.hpp"

#include <cstdint>
#include <deque>
#include <optional>

namespace fantail {

/// Decides how much a puller asks for. Credit is the only backpressure there
/// is: a request not issued. Two requests are kept under way, so that the
/// round trip of one hides behind the other, unless too much is unsettled.
/// The server serves requests in order; each ends when it is filled, expires
/// or is given back.
///
/// Invariant: unsettled_bytes() is what was received minus what was settled.
class pull_window {
public:
  struct config {
    uint32_t events_per_request = limits::pull_events_default;
    uint32_t requests_outstanding = limits::pull_requests_outstanding;
    size_t unsettled_bytes_max = limits::unsettled_bytes_default;
    duration expires = limits::pull_expires;
    duration watchdog = limits::pull_watchdog;
  };

  explicit pull_window(config settings) : settings_(settings) {}

  /// A fresh consumer: no request is under way. What is unsettled stays.
  void reopened(time_point now);

  /// How many events to ask for now, or nothing. Counts as asked.
  std::optional<uint32_t> next_request(time_point now);

  /// Events came, of `bytes` in total.
  void received(uint64_t events, size_t bytes, time_point now);

  /// The oldest request ended without being filled.
  void request_ended(time_point now);

  /// The server showed that it still works on a request.
  void heartbeat(time_point now) { last_life_ = now; }

  /// `bytes` of what was received are settled.
  void settled(size_t bytes);

  /// Requests are under way, and the server has been silent for longer than
  /// any living consumer is: it has to be made anew.
  bool is_stuck(time_point now) const;

  size_t unsettled_bytes() const noexcept { return unsettled_bytes_; }
  size_t requests_outstanding() const noexcept { return requests_.size(); }
  uint64_t events_outstanding() const noexcept { return outstanding_; }

private:
  config settings_;
  /// Events missing per request, oldest first.
  std::deque<uint64_t> requests_;
  uint64_t outstanding_ = 0;
  size_t unsettled_bytes_ = 0;
  time_point last_life_{};
};

} // namespace fantail
