// SPDX-License-Identifier: MIT
#include "core/delivery/pull_window.hpp"

#include <algorithm>
#include <cassert>

namespace fantail {

void pull_window::reopened(time_point now) {
  requests_.clear();
  outstanding_ = 0;
  last_life_ = now;
}

std::optional<uint32_t> pull_window::next_request(time_point now) {
  if (requests_.size() >= settings_.requests_outstanding
      || unsettled_bytes_ >= settings_.unsettled_bytes_max)
    return std::nullopt;
  if (requests_.empty())
    last_life_ = now;
  requests_.push_back(settings_.events_per_request);
  outstanding_ += settings_.events_per_request;
  return settings_.events_per_request;
}

void pull_window::received(uint64_t events, size_t bytes, time_point now) {
  last_life_ = now;
  unsettled_bytes_ += bytes;
  // A request we gave up may still have been served, so there can be more
  // events than we count as asked for.
  while (events > 0 && !requests_.empty()) {
    auto filled = std::min(events, requests_.front());
    requests_.front() -= filled;
    outstanding_ -= filled;
    events -= filled;
    if (requests_.front() == 0)
      requests_.pop_front();
  }
}

void pull_window::request_ended(time_point now) {
  last_life_ = now;
  if (requests_.empty())
    return;
  outstanding_ -= requests_.front();
  requests_.pop_front();
}

void pull_window::settled(size_t bytes) {
  assert(bytes <= unsettled_bytes_);
  unsettled_bytes_ -= std::min(bytes, unsettled_bytes_);
}

bool pull_window::is_stuck(time_point now) const {
  return !requests_.empty() && now - last_life_ > settings_.watchdog;
}

} // namespace fantail
