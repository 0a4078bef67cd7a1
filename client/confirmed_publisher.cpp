// SPDX-License-Identifier: MIT
#include "client/confirmed_publisher.hpp"

#include <charconv>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace fantail::client {

namespace {

/// "message size exceeds maximum allowed": the one refusal that is final.
constexpr int message_too_large = 10054;

constexpr auto publish_sweep_interval = std::chrono::milliseconds{50};

} // namespace

class confirmed_publisher::state {
public:
  state(nats::event_loop& loop, nats::connection& via,
        confirmed_publisher_options options)
      : loop(loop), via(via), inbox(via.new_inbox()), options_(options),
        life_(via.life()) {
    // nop
  }

  bool publish(std::string subject, std::string headers, std::string body,
               handler on_settled) {
    {
      std::lock_guard guard{mutex_};
      if (waiting_.size() >= options_.in_flight_max)
        return false;
      auto token = ++last_token_;
      auto& x = waiting_[token];
      x = {std::move(subject),
           std::move(headers),
           std::move(body),
           std::move(on_settled),
           {}};
      send(token, x, std::chrono::steady_clock::now());
    }
    loop.wake();
    return true;
  }

  void on_reply(const nats::message& x) {
    auto digits = x.subject.substr(x.subject.rfind('.') + 1);
    uint64_t token = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), token);
    auto ack = nats::parse_publish_ack(x.body);
    handler settled;
    {
      std::lock_guard guard{mutex_};
      auto i = waiting_.find(token);
      if (i == waiting_.end())
        return;
      if (ack.error && ack.error->code != message_too_large) {
        i->second.repeat_at
            = std::chrono::steady_clock::now() + options_.retry_pause;
        return;
      }
      settled = std::move(i->second.on_settled);
      waiting_.erase(i);
    }
    if (settled)
      settled(ack);
  }

  /// Repeats what is overdue, and everything after a new connection.
  void sweep(time_point now) {
    std::lock_guard guard{mutex_};
    if (!via.is_up())
      return;
    auto is_new_life = std::exchange(life_, via.life()) != via.life();
    for (auto& [token, x] : waiting_)
      if (is_new_life || x.repeat_at <= now) {
        ++repeats_;
        send(token, x, now);
      }
  }

  size_t in_flight() const {
    std::lock_guard guard{mutex_};
    return waiting_.size();
  }

  uint64_t repeats() const {
    std::lock_guard guard{mutex_};
    return repeats_;
  }

  nats::event_loop& loop;
  nats::connection& via;
  const std::string inbox;

private:
  struct message {
    std::string subject;
    std::string headers;
    std::string body;
    handler on_settled;
    time_point repeat_at;
  };

  void send(uint64_t token, message& x, time_point now) {
    via.publish(x.subject, x.body, inbox + "." + std::to_string(token),
                x.headers);
    via.flush_soon();
    x.repeat_at = now + options_.acknowledge_timeout;
  }

  const confirmed_publisher_options options_;
  mutable std::mutex mutex_;
  /// By age, so that repeats keep their order.
  std::map<uint64_t, message> waiting_;
  uint64_t last_token_ = 0;
  uint64_t life_;
  uint64_t repeats_ = 0;
};

confirmed_publisher::confirmed_publisher(nats::event_loop& loop,
                                         nats::connection& via,
                                         confirmed_publisher_options options)
    : state_(std::make_shared<state>(loop, via, options)) {
  std::weak_ptr<state> weak = state_;
  via.subscribe(state_->inbox + ".*", [weak](const nats::message& x) {
    if (auto self = weak.lock())
      self->on_reply(x);
  });
  loop.every(publish_sweep_interval, [weak](time_point now) {
    if (auto self = weak.lock())
      self->sweep(now);
  });
}

confirmed_publisher::~confirmed_publisher() {
  // On the loop's thread, so that no handler is running afterwards.
  state_->loop.run_and_wait([this] {
    state_->via.unsubscribe(state_->inbox + ".*");
    state_ = nullptr;
  });
}

bool confirmed_publisher::publish(std::string subject, std::string_view id,
                                  std::string_view headers, std::string body,
                                  handler on_settled) {
  std::string block{"NATS/1.0\r\nNats-Msg-Id: "};
  block.append(id).append("\r\n").append(headers).append("\r\n");
  return state_->publish(std::move(subject), std::move(block), std::move(body),
                         std::move(on_settled));
}

size_t confirmed_publisher::in_flight() const {
  return state_->in_flight();
}

uint64_t confirmed_publisher::repeats() const {
  return state_->repeats();
}

} // namespace fantail::client
