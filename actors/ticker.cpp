// SPDX-License-Identifier: MIT
#include "actors/ticker.hpp"

#include <caf/send.hpp>

#include <pthread.h>

namespace fantail {

ticker::ticker(const clock_port& clock, duration period)
    : clock_(clock), period_(period), thread_([this] { run(); }) {
  // nop
}

ticker::~ticker() {
  stopping_ = true;
  thread_.join();
}

void ticker::add(component_actor to, unsigned beats) {
  std::lock_guard guard{mutex_};
  auto turn = static_cast<unsigned>(listeners_.size()) % beats;
  listeners_.push_back({std::move(to), beats, turn});
}

void ticker::tell(time_point now) {
  std::lock_guard guard{mutex_};
  for (auto& x : listeners_)
    caf::anon_send(x.to, tick{now});
}

void ticker::beat(time_point now) {
  std::lock_guard guard{mutex_};
  ++beat_;
  for (auto& x : listeners_)
    if (beat_ % x.beats == x.turn)
      caf::anon_send(x.to, tick{now});
}

void ticker::run() {
  pthread_setname_np(pthread_self(), "fantail-ticker");
  while (!stopping_) {
    std::this_thread::sleep_for(period_);
    // Whoever stops the ticker wants no further tick.
    if (!stopping_)
      beat(clock_.now());
  }
}

} // namespace fantail
