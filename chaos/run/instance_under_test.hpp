// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/run/recorder.hpp"
#include "chaos/run/world.hpp"
#include "client/instance.hpp"
#include "runtime/nats/connection.hpp"
#include "runtime/nats/event_loop.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fantail::chaos {

/// A notification service instance that notes what it receives, and can die
/// or stop reading. It has a thread and a connection of its own, as a service
/// has. Functions are called by one thread.
class instance_under_test {
public:
  instance_under_test(const world& in, recorder& notes, std::string url,
                      instance_number number);
  ~instance_under_test();
  instance_under_test(const instance_under_test&) = delete;
  instance_under_test& operator=(const instance_under_test&) = delete;

  void start();
  bool wait_registered(duration timeout);

  /// Vanishes without a word. What it stored of its positions survives.
  void kill();
  /// Comes back where it was (`frame`), or wherever things are (`single`).
  void revive() { start(); }

  /// Stops reading from its socket.
  void stall();
  void go_on();

private:
  void take(const chat_event& x);

  const world& world_;
  recorder& notes_;
  const std::string url_;
  const instance_number number_;
  const delivery_format format_;
  std::vector<shard_start> positions_;
  /// Epoch of the section that is being read.
  epoch epoch_;
  nats::event_loop loop_;
  std::unique_ptr<nats::connection> via_;
  std::unique_ptr<client::instance> instance_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stalled_ = false;
};

} // namespace fantail::chaos
