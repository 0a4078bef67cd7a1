// SPDX-License-Identifier: MIT
#include "console/signals.hpp"

#include <signal.h>

#include <atomic>

namespace fantail::console {

namespace {

std::atomic<bool> interrupt_flag = false;
std::atomic<bool> end_flag = false;
std::atomic<bool> resize_flag = false;
static_assert(std::atomic<bool>::is_always_lock_free,
              "a signal handler may only touch lock-free atomics");

void on_signal(int number) {
  if (number == SIGINT)
    interrupt_flag = true;
  else if (number == SIGWINCH)
    resize_flag = true;
  else
    end_flag = true;
}

} // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  // Without SA_RESTART: a read that waits for a key comes back.
  action.sa_flags = 0;
  for (auto number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH})
    ::sigaction(number, &action, nullptr);
}

bool is_interrupted() {
  return interrupt_flag || end_flag;
}

bool is_asked_to_end() {
  return end_flag;
}

void forget_interrupt() {
  interrupt_flag = false;
}

bool take_resize() {
  return resize_flag.exchange(false);
}

} // namespace fantail::console
