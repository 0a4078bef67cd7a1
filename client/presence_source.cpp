// SPDX-License-Identifier: MIT
#include "client/presence_source.hpp"

#include "core/hash.hpp"
#include "core/subject.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fantail::client {

namespace {

constexpr auto sweep_interval = std::chrono::milliseconds{100};

presence_update with_channels(presence_op op, channel_list channels) {
  presence_update result;
  result.op = op;
  result.channels = std::move(channels);
  result.has_channels = true;
  return result;
}

presence_update of_session(presence_op op, std::string_view session,
                           std::string_view instance) {
  presence_update result;
  result.op = op;
  result.session = session;
  result.instance = instance;
  return result;
}

/// Begins the message ids of a source: nobody else has its inbox.
std::string id_prefix_of(std::string_view inbox) {
  std::string result{inbox.substr(inbox.find('.') + 1)};
  std::replace(result.begin(), result.end(), '.', '-');
  return result + "-";
}

/// What is wrong with names that would break a subject.
presence_reject check(std::string_view user, const presence_update& x) {
  if (!is_token(user))
    return presence_reject::illegal_user;
  auto has_session
      = x.op == presence_op::online || x.op == presence_op::offline;
  if (has_session && !is_token(x.session))
    return presence_reject::illegal_session;
  if (x.op == presence_op::online && !is_token(x.instance))
    return presence_reject::illegal_instance;
  if (x.channels.size() > limits::channels_per_change_max)
    return presence_reject::too_many_channels;
  for (auto channel : x.channels)
    if (!is_token(channel))
      return presence_reject::illegal_channel;
  return presence_reject::none;
}

} // namespace

/// Everything here belongs to the loop's thread.
class presence_source::state {
public:
  state(nats::event_loop& loop, nats::connection& via,
        presence_source_options options)
      : loop(loop), via(via), inbox(via.new_inbox()), options_(options),
        id_prefix_(id_prefix_of(inbox)),
        publisher_(std::make_unique<confirmed_publisher>(loop, via,
                                                         options.publishing)) {
    // nop
  }

  void add(std::string user, presence_update update, handler on_answer) {
    auto reason = check(user, update);
    if (reason != presence_reject::none) {
      presence_answer refusal;
      refusal.what = presence_answer::status::rejected;
      refusal.user = std::move(user);
      refusal.op = update.op;
      refusal.reason = reason;
      settle(on_answer, refusal);
      return;
    }
    auto number = ++last_number_;
    update.reply_to = inbox + "." + std::to_string(number);
    auto& queue = users_[user];
    auto& x = changes_[number];
    x.user = std::move(user);
    x.update = std::move(update);
    x.on_answer = std::move(on_answer);
    queue.push_back(number);
    if (queue.size() == 1)
      publish(number);
  }

  void on_reply(const nats::message& x) {
    auto digits = x.subject.substr(x.subject.rfind('.') + 1);
    uint64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    auto i = changes_.find(number);
    auto answer = decode_presence_answer(x.body);
    if (i == changes_.end() || !answer)
      return;
    // A repeated `offline` does not find the session that the first removed.
    auto& op = i->second.update.op;
    if (op == presence_op::offline && i->second.attempts > 1
        && answer->reason == presence_reject::unknown_session) {
      answer->what = presence_answer::status::left;
      answer->reason = presence_reject::none;
    }
    finish(number, std::move(answer));
  }

  void sweep(time_point now) {
    publish_held_back();
    std::vector<uint64_t> overdue;
    for (auto& [number, x] : changes_)
      if (x.stored_at && now - *x.stored_at > options_.answer_timeout)
        overdue.push_back(number);
    for (auto number : overdue) {
      auto& x = changes_.at(number);
      // Repeating an older change would undo a newer one.
      auto newest = newest_.find(x.user);
      auto is_newest = !users_.contains(x.user) && newest != newest_.end()
                       && newest->second == number;
      if (!is_newest || x.attempts >= options_.attempts_max) {
        finish(number, std::nullopt);
        continue;
      }
      x.stored_at.reset();
      users_[x.user].push_back(number);
      publish(number);
    }
  }

  /// Ends the publishing before the members it calls back into.
  void close() { publisher_ = nullptr; }

  nats::event_loop& loop;
  nats::connection& via;
  const std::string inbox;
  std::atomic<size_t> unanswered = 0;

private:
  struct change {
    std::string user;
    presence_update update;
    handler on_answer;
    int attempts = 0;
    std::optional<time_point> stored_at;
    /// The answer may overtake the acknowledgement.
    bool is_answered = false;
  };

  void publish(uint64_t number) {
    if (!held_back_.empty() || !try_publish(number))
      held_back_.push_back(number);
  }

  void publish_held_back() {
    while (!held_back_.empty() && try_publish(held_back_.front()))
      held_back_.pop_front();
  }

  bool try_publish(uint64_t number) {
    auto& x = changes_.at(number);
    auto& user = x.user;
    auto direct = options_.direct_shards;
    auto subject
        = direct > 0
              ? subjects::presence_prefix(presence_shard_of(user, direct).value)
              : std::string{subjects::presence_input};
    auto id = id_prefix_ + std::to_string(number) + "-"
              + std::to_string(x.attempts + 1);
    auto accepted
        = publisher_->publish(subject + user, id, {}, encode(x.update),
                              [this, number](const nats::publish_ack& ack) {
                                on_stored(number, ack);
                              });
    x.attempts += accepted;
    return accepted;
  }

  void on_stored(uint64_t number, const nats::publish_ack& ack) {
    auto i = changes_.find(number);
    if (i == changes_.end())
      return;
    auto user = i->second.user;
    auto& queue = users_.at(user);
    queue.pop_front();
    newest_[user] = number;
    auto is_answered = i->second.is_answered;
    i->second.stored_at = std::chrono::steady_clock::now();
    if (queue.empty())
      users_.erase(user);
    else
      publish(queue.front());
    publish_held_back();
    if (ack.error && !is_answered) {
      presence_answer refusal;
      refusal.what = presence_answer::status::rejected;
      refusal.user = user;
      refusal.reason = presence_reject::too_large;
      refusal.detail = ack.error->text;
      finish(number, refusal);
    } else if (is_answered) {
      forget(number);
    }
  }

  void finish(uint64_t number, std::optional<presence_answer> answer) {
    auto& x = changes_.at(number);
    if (x.is_answered)
      return;
    x.is_answered = true;
    auto on_answer = std::move(x.on_answer);
    if (x.stored_at)
      forget(number);
    settle(on_answer, answer);
  }

  void forget(uint64_t number) {
    auto i = changes_.find(number);
    auto newest = newest_.find(i->second.user);
    if (newest != newest_.end() && newest->second == number)
      newest_.erase(newest);
    changes_.erase(i);
  }

  void settle(const handler& on_answer,
              const std::optional<presence_answer>& answer) {
    --unanswered;
    if (on_answer)
      on_answer(answer);
  }

  const presence_source_options options_;
  const std::string id_prefix_;
  uint64_t last_number_ = 0;
  std::map<uint64_t, change> changes_;
  /// Changes of a user that are not stored yet; the first is under way.
  std::unordered_map<std::string, std::deque<uint64_t>> users_;
  /// The newest stored change of a user, while it is not answered.
  std::unordered_map<std::string, uint64_t> newest_;
  /// Wait for a place among the messages under way.
  std::deque<uint64_t> held_back_;
  std::unique_ptr<confirmed_publisher> publisher_;
};

presence_source::presence_source(nats::event_loop& loop, nats::connection& via,
                                 presence_source_options options)
    : state_(std::make_shared<state>(loop, via, options)) {
  std::weak_ptr<state> weak = state_;
  via.subscribe(state_->inbox + ".*", [weak](const nats::message& x) {
    if (auto self = weak.lock())
      self->on_reply(x);
  });
  loop.every(sweep_interval, [weak](time_point now) {
    if (auto self = weak.lock())
      self->sweep(now);
  });
}

presence_source::~presence_source() {
  // On the loop's thread, so that no handler is running afterwards.
  state_->loop.run_and_wait([this] {
    state_->via.unsubscribe(state_->inbox + ".*");
    state_->close();
    state_ = nullptr;
  });
}

void presence_source::change(std::string_view user, presence_update update,
                             handler on_answer) {
  ++state_->unanswered;
  state_->loop.post([weak = std::weak_ptr{state_}, user = std::string{user},
                     update = std::move(update),
                     on_answer = std::move(on_answer)]() mutable {
    if (auto self = weak.lock())
      self->add(std::move(user), std::move(update), std::move(on_answer));
  });
}

void presence_source::online(std::string_view user, std::string_view session,
                             std::string_view instance, handler on_answer) {
  change(user, of_session(presence_op::online, session, instance),
         std::move(on_answer));
}

void presence_source::online(std::string_view user, std::string_view session,
                             std::string_view instance, channel_list channels,
                             handler on_answer) {
  auto update = of_session(presence_op::online, session, instance);
  update.channels = std::move(channels);
  update.has_channels = true;
  change(user, std::move(update), std::move(on_answer));
}

void presence_source::offline(std::string_view user, std::string_view session,
                              handler on_answer) {
  change(user, of_session(presence_op::offline, session, {}),
         std::move(on_answer));
}

void presence_source::set(std::string_view user, channel_list channels,
                          handler on_answer) {
  change(user, with_channels(presence_op::set, std::move(channels)),
         std::move(on_answer));
}

void presence_source::join(std::string_view user, channel_list channels,
                           handler on_answer) {
  change(user, with_channels(presence_op::join, std::move(channels)),
         std::move(on_answer));
}

void presence_source::leave(std::string_view user, channel_list channels,
                            handler on_answer) {
  change(user, with_channels(presence_op::leave, std::move(channels)),
         std::move(on_answer));
}

size_t presence_source::unanswered() const {
  return state_->unanswered;
}

} // namespace fantail::client
