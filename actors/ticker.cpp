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

void ticker::add(component_actor to) {
  std::lock_guard guard{mutex_};
  listeners_.push_back(std::move(to));
}

void ticker::tell(time_point now) {
  std::lock_guard guard{mutex_};
  for (auto& x : listeners_)
    caf::anon_send(x, tick{now});
}

void ticker::run() {
  pthread_setname_np(pthread_self(), "fantail-ticker");
  while (!stopping_) {
    std::this_thread::sleep_for(period_);
    tell(clock_.now());
  }
}

} // namespace fantail
