// SPDX-License-Identifier: MIT
#include "runtime/nats/connection.hpp"

#include "runtime/nats/request_table.hpp"
#include "runtime/nats/session.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

namespace fantail::nats {

using namespace std::chrono_literals;

namespace {

constexpr auto reconnect_delay_min = 50ms;
constexpr auto reconnect_delay_max = 1'000ms;

/// A name nobody else uses: 20 characters of 32.
std::string unique_name() {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::random_device source;
  std::string result;
  for (int i = 0; i < 20; ++i)
    result += alphabet[source() % alphabet.size()];
  return result;
}

} // namespace

std::string_view message::status() const {
  constexpr std::string_view magic = "NATS/1.0 ";
  if (!headers.starts_with(magic))
    return {};
  return headers.substr(magic.size(), 3);
}

/// Lives on the loop's thread, but for what the mutex guards.
class connection::impl final : public pollable {
public:
  impl(event_loop& loop, connect_options options, handlers on)
      : loop(loop), options_(std::move(options)), on_(std::move(on)),
        inbox_("_INBOX." + unique_name()) {
    subscriptions_[inbox_ + ".r.*"].handler = [this](const message& x) {
      on_reply(x);
    };
  }

  // -- pollable ------------------------------------------------------------

  int socket() const noexcept override {
    return session_ ? session_->socket() : -1;
  }

  bool wants_write() const noexcept override {
    return session_ && session_->wants_write();
  }

  void on_readable() override {
    session_->read();
    dispatch();
    check_closed();
  }

  void on_writable() override {
    session_->write();
    check_closed();
  }

  time_point maintain(time_point now) override {
    check_closed();
    if (started_ && !session_ && now >= connect_at_)
      open(now);
    auto next = now + 100ms;
    if (started_ && !session_)
      next = std::min(next, connect_at_);
    return std::min(next, requests_.expire(now));
  }

  /// What the handler had done of its message is unknown: in the next life
  /// everybody asks again for what is missing.
  void on_failed(std::string reason) override {
    dispatching_ = false;
    if (options_.on_handler_failed)
      options_.on_handler_failed(reason);
    connect_at_ = std::chrono::steady_clock::now() + reconnect_delay_;
    close_life("a handler failed: " + std::move(reason));
  }

  // -- lifecycle (loop thread) -----------------------------------------------

  void start() { started_ = true; }

  void shut_down() {
    started_ = false;
    on_ = {};
    close_life("the connection was closed");
  }

  void add_subscription(std::string subject, message_handler handler,
                        std::function<void()> on_nobody) {
    auto& entry = subscriptions_[std::move(subject)];
    entry.on_nobody = std::move(on_nobody);
    entry.handler = std::move(handler);
    if (session_)
      resubscribe();
  }

  void remove_subscription(const std::string& subject) {
    auto i = subscriptions_.find(subject);
    if (i == subscriptions_.end())
      return;
    if (i->second.handle)
      session::unsubscribe(*i->second.handle);
    i->second.handle = nullptr;
    // The entry may be the one whose handler is running.
    i->second.handler = nullptr;
    removed_any_ = true;
    if (!dispatching_)
      sweep_removed();
  }

  // -- any thread -------------------------------------------------------------

  bool publish(std::string_view subject, std::string_view body,
               std::string_view reply, std::string_view headers) {
    std::lock_guard guard{mutex_};
    return shared_session_
           && shared_session_->publish(subject, body, reply, headers);
  }

  void flush() {
    std::lock_guard guard{mutex_};
    if (!shared_session_ || !shared_session_->wants_write())
      return;
    shared_session_->write();
    if (shared_session_->wants_write() || shared_session_->is_closed())
      loop.wake();
  }

  size_t buffered() {
    std::lock_guard guard{mutex_};
    return shared_session_ ? shared_session_->buffered() : 0;
  }

  size_t payload_bytes_max() {
    std::lock_guard guard{mutex_};
    return shared_session_ ? shared_session_->payload_bytes_max() : 0;
  }

  void request(std::string_view subject, std::string_view body,
               duration timeout, reply_handler handler,
               std::string_view headers) {
    auto token = requests_.add(std::move(handler),
                               std::chrono::steady_clock::now() + timeout);
    auto reply = inbox_ + ".r." + std::to_string(token);
    if (publish(subject, body, reply, headers))
      flush();
    else
      loop.post([self = weak_self_.lock(), token] {
        if (self)
          self->requests_.answer(token, nullptr);
      });
  }

  std::string new_inbox() {
    return inbox_ + ".s." + std::to_string(++last_inbox_);
  }

  bool wait_up(duration timeout) {
    std::unique_lock guard{mutex_};
    return up_changed_.wait_for(guard, timeout,
                                [this] { return shared_session_ != nullptr; });
  }

  bool is_up() {
    std::lock_guard guard{mutex_};
    return shared_session_ != nullptr;
  }

  event_loop& loop;
  std::weak_ptr<impl> weak_self_;
  std::atomic<uint64_t> life_ = 0;

private:
  struct subscription {
    message_handler handler;
    std::function<void()> on_nobody;
    session::subscription_ptr handle;
  };

  // -- lifecycle --------------------------------------------------------------

  void open(time_point now) {
    std::string why;
    session_ = session::open(
        options_, [this] { loop.wake(); }, why);
    if (!session_) {
      connect_at_ = now + reconnect_delay_;
      reconnect_delay_
          = std::min<duration>(reconnect_delay_ * 2, reconnect_delay_max);
      if (on_.on_down)
        on_.on_down(0, std::move(why));
      return;
    }
    reconnect_delay_ = reconnect_delay_min;
    auto life = ++life_;
    resubscribe();
    {
      std::lock_guard guard{mutex_};
      shared_session_ = session_.get();
    }
    up_changed_.notify_all();
    if (on_.on_up)
      on_.on_up(life);
  }

  void resubscribe() {
    for (auto& [subject, entry] : subscriptions_)
      if (!entry.handle && entry.handler)
        entry.handle = session_->subscribe(subject);
    session_->write();
  }

  void check_closed() {
    if (session_ && session_->is_closed()) {
      connect_at_ = std::chrono::steady_clock::now() + reconnect_delay_;
      close_life(session_->last_error());
    }
  }

  void close_life(std::string reason) {
    if (!session_)
      return;
    {
      std::lock_guard guard{mutex_};
      shared_session_ = nullptr;
    }
    for (auto& [subject, entry] : subscriptions_)
      entry.handle = nullptr;
    session_ = nullptr;
    requests_.expire(time_point::max());
    if (on_.on_down)
      on_.on_down(life_, std::move(reason));
  }

  // -- messages ---------------------------------------------------------------

  void dispatch() {
    dispatching_ = true;
    for (auto& [subject, entry] : subscriptions_) {
      // The handler may end its own subscription.
      while (entry.handle && entry.handler
             && session::next(*entry.handle, entry.handler, entry.on_nobody))
        continue;
    }
    dispatching_ = false;
    if (removed_any_)
      sweep_removed();
    if (on_.on_read_end)
      on_.on_read_end();
  }

  void sweep_removed() {
    std::erase_if(subscriptions_, [](auto& x) { return !x.second.handler; });
    removed_any_ = false;
  }

  void on_reply(const message& x) {
    auto token = x.subject.substr(x.subject.rfind('.') + 1);
    uint64_t number = 0;
    for (char c : token)
      number = number * 10 + static_cast<uint64_t>(c - '0');
    // Nobody listens: the server says so with an empty message.
    requests_.answer(number,
                     x.body.empty() && x.status() == "503" ? nullptr : &x);
  }

  connect_options options_;
  handlers on_;
  std::string inbox_;
  std::atomic<uint64_t> last_inbox_ = 0;
  bool started_ = false;
  time_point connect_at_{};
  duration reconnect_delay_ = reconnect_delay_min;
  /// Ordered, so that replies and markers have a fixed place in a round.
  std::map<std::string, subscription> subscriptions_;
  bool dispatching_ = false;
  bool removed_any_ = false;
  std::unique_ptr<session> session_;

  /// Guards `shared_session_`, which other threads publish to. Only the loop's
  /// thread ends a life, after it was taken away here.
  std::mutex mutex_;
  std::condition_variable up_changed_;
  session* shared_session_ = nullptr;

  request_table requests_;
};

connection::connection(event_loop& loop, connect_options options, handlers on)
    : impl_(std::make_shared<impl>(loop, std::move(options), std::move(on))) {
  impl_->weak_self_ = impl_;
  loop.add(impl_);
}

connection::~connection() {
  impl_->loop.run_and_wait([this] { impl_->shut_down(); });
  impl_->loop.remove(impl_);
}

void connection::start() {
  impl_->loop.run_and_wait([this] { impl_->start(); });
}

bool connection::wait_up(duration timeout) {
  return impl_->wait_up(timeout);
}

bool connection::is_up() const noexcept {
  return impl_->is_up();
}

uint64_t connection::life() const noexcept {
  return impl_->life_;
}

void connection::subscribe(std::string subject, message_handler handler,
                           std::function<void()> on_nobody) {
  impl_->loop.run_and_wait([&] {
    impl_->add_subscription(std::move(subject), std::move(handler),
                            std::move(on_nobody));
  });
}

void connection::unsubscribe(const std::string& subject) {
  impl_->loop.run_and_wait([&] { impl_->remove_subscription(subject); });
}

bool connection::publish(std::string_view subject, std::string_view body,
                         std::string_view reply, std::string_view headers) {
  return impl_->publish(subject, body, reply, headers);
}

void connection::flush() {
  impl_->flush();
}

void connection::flush_soon() {
  impl_->loop.wake();
}

size_t connection::buffered() const {
  return impl_->buffered();
}

size_t connection::payload_bytes_max() const {
  return impl_->payload_bytes_max();
}

void connection::request(std::string_view subject, std::string_view body,
                         duration timeout, reply_handler handler,
                         std::string_view headers) {
  impl_->request(subject, body, timeout, std::move(handler), headers);
}

std::optional<std::string> connection::request_wait(std::string_view subject,
                                                    std::string_view body,
                                                    duration timeout,
                                                    std::string_view headers) {
  std::promise<std::optional<std::string>> done;
  auto result = done.get_future();
  request(
      subject, body, timeout,
      [&done](const message* x) {
        if (x)
          done.set_value(std::string{x->body});
        else
          done.set_value(std::nullopt);
      },
      headers);
  return result.get();
}

std::string connection::new_inbox() {
  return impl_->new_inbox();
}

} // namespace fantail::nats
