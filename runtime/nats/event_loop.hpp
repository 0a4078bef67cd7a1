// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <functional>
#include <memory>
#include <string>

namespace fantail::nats {

/// Something with a socket that an event_loop drives. All functions are called
/// on the loop's thread.
class pollable {
public:
  virtual ~pollable() = default;
  /// The socket, or -1 while there is none.
  virtual int socket() const noexcept = 0;
  /// Whether the loop should wait until the socket takes bytes.
  virtual bool wants_write() const noexcept = 0;
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
  /// Called in every round: deadlines, reconnects. Returns when it wants to be
  /// called again at the latest.
  virtual time_point maintain(time_point now) = 0;
  /// One of the above threw: begin anew. The loop goes on with the others.
  virtual void on_failed(std::string reason) = 0;
};

/// One thread that polls any number of sockets. Must outlive them. What a
/// socket throws concerns that socket alone; a task that throws ends the
/// process, since nobody else knows what was left undone.
class event_loop {
public:
  /// The name is shown by `top -H`; at most 15 bytes.
  explicit event_loop(std::string thread_name);
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  /// Runs `task` on the loop's thread, soon. Any thread.
  void post(std::function<void()> task);

  /// Runs `task` on the loop's thread and waits for it; at once when called
  /// there. Any thread.
  void run_and_wait(std::function<void()> task);

  /// Runs `task` on the loop's thread about every `period`.
  void every(duration period, std::function<void(time_point)> task);

  /// Runs `task` once on the loop's thread, after `pause`. Any thread.
  void after(duration pause, std::function<void()> task);

  /// Makes the loop look at its sockets again. Any thread.
  void wake();

  void add(std::shared_ptr<pollable> socket);
  void remove(const std::shared_ptr<pollable>& socket);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace fantail::nats
