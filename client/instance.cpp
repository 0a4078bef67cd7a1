// SPDX-License-Identifier: MIT
#include "client/instance.hpp"

#include "core/subject.hpp"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

namespace fantail::client {

namespace {

/// Received and not acknowledged bytes count against the window of Fantail's
/// outbox, so a burst is acknowledged before the interval is over.
constexpr size_t unacknowledged_bytes_max = 2 * 1024 * 1024;

std::string new_incarnation() {
  std::random_device source;
  char text[20];
  std::snprintf(text, sizeof text, "i-%08x%08x", source(), source());
  return text;
}

} // namespace

/// Everything but the registration's condition belongs to the loop's thread.
class instance::state final : public frame_reader::sink,
                              public std::enable_shared_from_this<state> {
public:
  state(nats::event_loop& loop, nats::connection& via, instance_options options,
        handlers on)
      : loop(loop), via_(via), options_(std::move(options)), on_(std::move(on)),
        incarnation_(new_incarnation()), inbox_(via.new_inbox()),
        events_subject_(subject(subjects::instance_events)),
        reader_(options_.reader) {
    // nop
  }

  // -- life ------------------------------------------------------------------

  void start() {
    if (std::exchange(running_, true))
      return;
    via_.subscribe(events_subject_, locked(&state::on_message));
    via_.subscribe(inbox_, locked(&state::on_registration_reply));
    tick(std::chrono::steady_clock::now());
  }

  void stop(bool says_goodbye) {
    if (!std::exchange(running_, false))
      return;
    if (says_goodbye) {
      acknowledge(reader_.take_acknowledgement());
      registration farewell{deregister_instance{incarnation_}};
      via_.publish(subject(subjects::instance_register), encode(farewell));
      via_.flush();
    }
    via_.unsubscribe(events_subject_);
    via_.unsubscribe(inbox_);
  }

  bool wait_registered(duration timeout) {
    std::unique_lock guard{mutex_};
    return registered_changed_.wait_for(guard, timeout,
                                        [this] { return registered_; });
  }

  void tick(time_point now) {
    if (!running_ || is_replaced_ || !via_.is_up())
      return;
    if (std::exchange(life_, via_.life()) != via_.life()) {
      reader_.forget_requests();
      register_at_ = now;
      heartbeat_at_ = now;
    }
    if (register_at_ && now >= *register_at_)
      register_now(now);
    if (now >= heartbeat_at_)
      send_heartbeat(now);
    acknowledge(reader_.take_acknowledgement());
    ask_for_ranges(now);
    via_.flush();
  }

  statistics count() const {
    auto result = count_;
    result.reader = reader_.count();
    return result;
  }

  std::vector<shard_start> positions() const {
    std::vector<shard_start> result;
    for (auto& x : reader_.starts())
      result.push_back({x.shard, x.epoch, x.pos});
    return result;
  }

  nats::event_loop& loop;

private:
  // -- registration and signs of life
  // ---------------------------------------------

  void register_now(time_point now) {
    register_at_ = now + options_.register_timeout;
    registration request{register_instance{options_.format, incarnation_,
                                           inbox_, options_.start,
                                           options_.positions}};
    via_.publish(subject(subjects::instance_register), encode(request));
  }

  void on_registration_reply(const nats::message& x) {
    auto reply = decode_registration_reply(x.body);
    if (!reply)
      return;
    if (auto* refusal = std::get_if<registration_rejected>(&*reply)) {
      if (on_.on_rejected)
        on_.on_rejected(*refusal);
      return;
    }
    auto& answer = std::get<instance_registered>(*reply);
    if (answer.incarnation != incarnation_)
      return;
    register_at_.reset();
    // A repeated registration must not skip what is still missing.
    if (std::exchange(has_begun_, true))
      return;
    begin(answer);
  }

  void begin(const instance_registered& answer) {
    std::vector<frame_reader::start> shards;
    for (auto& x : answer.positions)
      shards.push_back({x.shard, x.epoch, x.at});
    reader_.begin(shards);
    ttl_ = std::chrono::milliseconds{answer.ttl_ms};
    answered_at_ = std::chrono::steady_clock::now();
    if (answer.heartbeat_ms > 0)
      options_.heartbeat_interval
          = std::min<duration>(options_.heartbeat_interval,
                               std::chrono::milliseconds{answer.heartbeat_ms});
    // The next heartbeat may be due earlier than it was.
    heartbeat_at_ = {};
    {
      std::lock_guard guard{mutex_};
      registered_ = true;
    }
    registered_changed_.notify_all();
    if (on_.on_registered)
      on_.on_registered(answer);
  }

  void send_heartbeat(time_point now) {
    heartbeat_at_ = now + options_.heartbeat_interval;
    via_.request(subject(subjects::instance_heartbeat),
                 encode(instance_heartbeat{incarnation_}),
                 options_.heartbeat_interval,
                 [weak = weak_from_this(), now](const nats::message* reply) {
                   if (auto self = weak.lock(); reply && self && self->running_)
                     self->on_heartbeat_reply(now, reply->body);
                 });
    // Acknowledgements get lost; all positions now and then make up for it.
    acknowledge(reader_.positions());
  }

  void on_heartbeat_reply(time_point sent_at, std::string_view body) {
    auto reply = decode_heartbeat_reply(body);
    if (!reply)
      return;
    // Before the registration is read, the life before is still the newest.
    if (reply->refusal == control_reject::old_incarnation && has_begun_)
      be_replaced();
    if (reply->refusal != control_reject::none)
      return;
    // An answer that never came may have told; so may a node that is gone.
    auto was_long = ttl_ > duration{} && sent_at - answered_at_ >= ttl_;
    auto has_lapsed = reply->lapses > lapses_;
    lapses_ = reply->lapses;
    answered_at_ = sent_at;
    if ((has_lapsed || was_long) && on_.on_sessions_ended)
      on_.on_sessions_ended();
  }

  void be_replaced() {
    if (std::exchange(is_replaced_, true))
      return;
    via_.unsubscribe(events_subject_);
    if (on_.on_replaced)
      on_.on_replaced();
  }

  void acknowledge(const std::vector<frame_reader::acknowledgement>& moved) {
    unacknowledged_bytes_ = 0;
    if (moved.empty())
      return;
    instance_ack ack;
    ack.incarnation = incarnation_;
    for (auto& x : moved)
      ack.positions.emplace_back(x.shard, x.pos);
    via_.publish(subject(subjects::instance_ack), encode(ack));
  }

  // -- events ----------------------------------------------------------------

  void on_message(const nats::message& x) {
    ++count_.messages;
    count_.bytes += x.body.size();
    if (options_.format == delivery_format::single)
      take_single(x);
    else
      take_frame(x.body);
  }

  void take_single(const nats::message& x) {
    chat_event event;
    event.cls = class_from_headers(x.headers);
    event.headers = x.headers;
    event.body = x.body;
    deliver(event);
  }

  void take_frame(std::string_view bytes) {
    auto sections = frame::read(bytes);
    if (!sections) {
      ++count_.malformed;
      return;
    }
    for (auto& x : *sections)
      reader_.take(x, *this);
    unacknowledged_bytes_ += bytes.size();
    if (unacknowledged_bytes_ > unacknowledged_bytes_max)
      acknowledge(reader_.take_acknowledgement());
    ask_for_ranges(std::chrono::steady_clock::now());
  }

  void ask_for_ranges(time_point now) {
    for (auto& x : reader_.take_requests(now)) {
      range_request body{incarnation_, x.shard, x.from, x.to};
      via_.request(subject(subjects::instance_range), encode(body),
                   options_.reader.range_timeout,
                   [weak = weak_from_this(),
                    shard = x.shard](const nats::message* reply) {
                     if (auto self = weak.lock(); self && self->running_)
                       self->on_range_reply(shard, reply);
                   });
    }
  }

  void on_range_reply(shard_id shard, const nats::message* x) {
    auto now = std::chrono::steady_clock::now();
    auto sections = x ? frame::read(x->body) : std::nullopt;
    if (sections && sections->size() == 1
        && sections->front().header.shard == shard) {
      reader_.take_answer(sections->front(), now, *this);
      ask_for_ranges(now);
      return;
    }
    if (!x) {
      reader_.postpone(shard, now);
      return;
    }
    auto refusal = decode_range_rejected(x->body);
    if (refusal && refusal->reason == control_reject::lost)
      reader_.take_lost(shard, refusal->first, *this);
    else
      reader_.postpone(shard, now);
    // Whoever does not know us has to be told.
    auto is_stranger
        = refusal && refusal->reason == control_reject::unknown_instance;
    if (is_stranger && !register_at_)
      register_at_ = now;
  }

  // -- frame_reader::sink
  // ------------------------------------------------------

  void on_section(const frame::section_header& header) override {
    if (on_.on_section)
      on_.on_section(header);
  }

  void on_event(shard_id, const chat_event& event) override { deliver(event); }

  void on_loss(const frame_reader::loss& gone) override {
    if (on_.on_loss)
      on_.on_loss(gone);
  }

  void deliver(const chat_event& event) {
    ++count_.events;
    if (on_.on_event)
      on_.on_event(event);
  }

  std::string subject(std::string_view prefix) const {
    return subjects::of_instance(prefix, options_.name);
  }

  nats::connection::message_handler
  locked(void (state::*handle)(const nats::message&)) {
    return [weak = weak_from_this(), handle](const nats::message& x) {
      if (auto self = weak.lock(); self && self->running_)
        (self.get()->*handle)(x);
    };
  }

  nats::connection& via_;
  instance_options options_;
  handlers on_;
  const std::string incarnation_;
  const std::string inbox_;
  const std::string events_subject_;
  frame_reader reader_;
  statistics count_;
  bool running_ = false;
  bool has_begun_ = false;
  /// Life of the connection that was seen last; 0 is none.
  uint64_t life_ = 0;
  /// When to register (again); nothing while registered.
  std::optional<time_point> register_at_;
  time_point heartbeat_at_{};
  /// Life of a session, 0 = not told; and when the last heartbeat was sent
  /// that was answered.
  duration ttl_{};
  time_point answered_at_{};
  uint32_t lapses_ = 0;
  bool is_replaced_ = false;
  size_t unacknowledged_bytes_ = 0;

  std::mutex mutex_;
  std::condition_variable registered_changed_;
  bool registered_ = false;
};

instance::instance(nats::event_loop& loop, nats::connection& via,
                   instance_options options, handlers on) {
  assert(is_token(options.name));
  auto interval = options.acknowledge_interval;
  state_
      = std::make_shared<state>(loop, via, std::move(options), std::move(on));
  loop.every(interval, [weak = std::weak_ptr{state_}](time_point now) {
    if (auto self = weak.lock())
      self->tick(now);
  });
}

instance::~instance() {
  // On the loop's thread, so that no handler is running afterwards.
  state_->loop.run_and_wait([this] { state_->stop(false); });
}

void instance::start() {
  state_->loop.run_and_wait([this] { state_->start(); });
}

bool instance::wait_registered(duration timeout) {
  return state_->wait_registered(timeout);
}

void instance::stop() {
  state_->loop.run_and_wait([this] { state_->stop(true); });
}

std::vector<shard_start> instance::positions() const {
  std::vector<shard_start> result;
  state_->loop.run_and_wait([&] { result = state_->positions(); });
  return result;
}

instance::statistics instance::count() const {
  statistics result;
  state_->loop.run_and_wait([&] { result = state_->count(); });
  return result;
}

} // namespace fantail::client
