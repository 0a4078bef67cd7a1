// SPDX-License-Identifier: MIT
#include "runtime/nats/event_loop.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace fantail::nats {

namespace {

/// The loop looks around at least this often, even if nothing happens.
constexpr auto longest_sleep = std::chrono::milliseconds{100};

} // namespace

struct event_loop::impl {
  struct periodic {
    duration period;
    time_point due;
    std::function<void(time_point)> task;
    bool is_done = false;
    bool is_once = false;
  };

  std::string name;
  int wake_fd = -1;
  std::atomic<bool> stopping = false;
  /// Spares the system call when the loop was woken already.
  std::atomic<bool> woken = false;
  std::mutex mutex;
  std::vector<std::function<void()>> tasks;
  // The rest belongs to the loop's thread.
  std::vector<std::shared_ptr<pollable>> sockets;
  std::vector<periodic> periodics;
  std::vector<pollfd> polled;
  std::thread thread;

  template <class Fun>
  static void guard(pollable& socket, Fun what) {
    try {
      what();
    } catch (const std::exception& x) {
      socket.on_failed(x.what());
    } catch (...) {
      socket.on_failed("unknown exception");
    }
  }

  void wake() {
    if (woken.exchange(true))
      return;
    uint64_t one = 1;
    [[maybe_unused]] auto written = ::write(wake_fd, &one, sizeof one);
  }

  void run_tasks() {
    std::vector<std::function<void()>> ready;
    {
      std::lock_guard guard{mutex};
      ready.swap(tasks);
    }
    for (auto& task : ready)
      task();
  }

  time_point run_due(time_point now) {
    auto next = now + longest_sleep;
    // By index: a task may add another one.
    for (size_t i = 0; i < periodics.size(); ++i) {
      if (periodics[i].due <= now) {
        auto task = periodics[i].task;
        task(now);
        periodics[i].is_done = periodics[i].is_once;
        periodics[i].due
            = std::max(periodics[i].due + periodics[i].period, now);
      }
      next = std::min(next, periodics[i].due);
    }
    std::erase_if(periodics, [](auto& x) { return x.is_done; });
    // A socket may be removed by what its own handler does.
    for (auto& socket : std::vector{sockets})
      guard(*socket, [&] { next = std::min(next, socket->maintain(now)); });
    return next;
  }

  void poll_until(time_point next) {
    polled.clear();
    polled.push_back({wake_fd, POLLIN, 0});
    for (auto& socket : sockets) {
      auto events = static_cast<short>(socket->wants_write() ? POLLIN | POLLOUT
                                                             : POLLIN);
      polled.push_back({socket->socket(), events, 0});
    }
    auto wait = std::chrono::ceil<std::chrono::milliseconds>(
        next - std::chrono::steady_clock::now());
    auto timeout = std::clamp<int64_t>(wait.count(), 0, longest_sleep.count());
    ::poll(polled.data(), polled.size(), static_cast<int>(timeout));
  }

  void handle_polled() {
    if (polled[0].revents != 0) {
      uint64_t ignored;
      [[maybe_unused]] auto got = ::read(wake_fd, &ignored, sizeof ignored);
    }
    woken = false;
    auto ready = sockets;
    for (size_t i = 0; i < ready.size(); ++i) {
      auto& entry = polled[i + 1];
      // A socket that was replaced meanwhile is looked at in the next round.
      if (entry.revents == 0 || ready[i]->socket() != entry.fd)
        continue;
      guard(*ready[i], [&] { handle(*ready[i], entry); });
    }
  }

  static void handle(pollable& socket, const pollfd& entry) {
    if (entry.revents & POLLOUT)
      socket.on_writable();
    // Writing may have ended the session behind the socket.
    if ((entry.revents & (POLLIN | POLLERR | POLLHUP))
        && socket.socket() == entry.fd)
      socket.on_readable();
  }

  void run() {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    while (!stopping) {
      auto next = run_due(std::chrono::steady_clock::now());
      poll_until(next);
      handle_polled();
      run_tasks();
    }
    run_tasks();
  }
};

event_loop::event_loop(std::string thread_name)
    : impl_(std::make_unique<impl>()) {
  impl_->name = std::move(thread_name);
  impl_->wake_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (impl_->wake_fd < 0)
    throw std::system_error(errno, std::generic_category(), "eventfd");
  impl_->thread = std::thread{[self = impl_.get()] {
    self->run();
  }};
}

event_loop::~event_loop() {
  impl_->stopping = true;
  impl_->woken = false;
  impl_->wake();
  impl_->thread.join();
  ::close(impl_->wake_fd);
}

void event_loop::post(std::function<void()> task) {
  {
    std::lock_guard guard{impl_->mutex};
    impl_->tasks.push_back(std::move(task));
  }
  impl_->wake();
}

void event_loop::run_and_wait(std::function<void()> task) {
  if (std::this_thread::get_id() == impl_->thread.get_id()) {
    task();
    return;
  }
  std::promise<void> done;
  post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void event_loop::every(duration period, std::function<void(time_point)> task) {
  run_and_wait([&] {
    auto due = std::chrono::steady_clock::now() + period;
    impl_->periodics.push_back({period, due, std::move(task)});
  });
}

void event_loop::after(duration pause, std::function<void()> task) {
  post([this, pause, task = std::move(task)] {
    auto due = std::chrono::steady_clock::now() + pause;
    auto once = [task](time_point) {
      task();
    };
    impl_->periodics.push_back({pause, due, once, false, true});
  });
}

void event_loop::wake() {
  impl_->wake();
}

void event_loop::add(std::shared_ptr<pollable> socket) {
  run_and_wait([&] { impl_->sockets.push_back(std::move(socket)); });
}

void event_loop::remove(const std::shared_ptr<pollable>& socket) {
  run_and_wait([&] { std::erase(impl_->sockets, socket); });
}

} // namespace fantail::nats
