// SPDX-License-Identifier: MIT
#include "bench/receivers.hpp"

#include "bench/chat_body.hpp"
#include "bench/population.hpp"
#include "core/control/instance_codec.hpp"
#include "core/subject.hpp"
#include "runtime/nats/jetstream.hpp"

#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace fantail::bench {

namespace {

constexpr auto acknowledge_interval = 100ms;
constexpr auto heartbeat_interval = 5s;
constexpr auto register_again = 2s;

int64_t now_ns() {
  return to_ns(std::chrono::steady_clock::now());
}

/// The instance a subject names; a number no instance has if it is another's.
size_t instance_of(std::string_view subject) {
  auto digits = subject.substr(subject.rfind('-') + 1);
  size_t result = SIZE_MAX;
  std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return result;
}

std::string subject_of(std::string_view prefix, size_t instance) {
  auto name = population::instance_name(static_cast<uint16_t>(instance));
  return subjects::of_instance(prefix, name);
}

} // namespace

receivers::receivers(const test_bed& bed, receiver_options options)
    : bed_(bed), options_(options), shards_(bed.options().shards),
      incarnation_("bench-" + std::to_string(now_ns())),
      tallies_(options.instances, frame_tally{shards_}),
      loop_("bench-receive") {
  connection_ = bed.connect(loop_, "fantail bench receivers");
  connection_->subscribe(std::string{subjects::instance_events} + "*",
                         [this](const nats::message& x) { on_event(x); });
  loop_.every(acknowledge_interval, [this](time_point now) {
    if (connection_)
      keep_alive(now);
  });
}

receivers::~receivers() {
  // The periodic task of the loop ends with the loop, so it has to see that
  // the connection is going.
  std::unique_ptr<nats::connection> last;
  loop_.run_and_wait([&] { last = std::move(connection_); });
}

void receivers::on_event(const nats::message& x) {
  auto instance = instance_of(x.subject);
  if (instance >= tallies_.size())
    return;
  auto now = now_ns();
  auto measure = [&](std::string_view body) {
    if (auto intended = chat_body::intended_at_ns(body))
      totals_.latency.record(now - *intended);
  };
  uint64_t fresh = 1;
  if (options_.format == delivery_format::frame) {
    auto read = options_.measures_latency
                    ? tallies_[instance].take(x.body, measure)
                    : tallies_[instance].take(x.body);
    totals_.frames += read;
    fresh = read.events;
  } else if (options_.measures_latency) {
    measure(x.body);
  }
  ++totals_.messages;
  totals_.bytes += x.body.size();
  if (fresh == 0)
    return;
  if (totals_.deliveries == 0)
    totals_.first_ns = now;
  totals_.last_ns = now;
  totals_.deliveries += fresh;
  deliveries_.store(totals_.deliveries, std::memory_order_relaxed);
}

void receivers::keep_alive(time_point now) {
  auto is_heartbeat = now >= heartbeat_at_;
  if (is_heartbeat)
    heartbeat_at_ = now + heartbeat_interval;
  for (size_t i = 0; i < tallies_.size(); ++i) {
    auto moved = tallies_[i].take_moved();
    if (!moved.empty())
      connection_->publish(subject_of(subjects::instance_ack, i),
                           encode(instance_ack{incarnation_, moved}));
    else if (is_heartbeat)
      connection_->publish(subject_of(subjects::instance_heartbeat, i), "");
  }
  connection_->flush();
}

void receivers::enroll(duration timeout) {
  if (options_.format == delivery_format::single)
    return;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<bool> done(options_.instances);
  size_t missing = done.size();
  std::string refusal;
  auto inbox = connection_->new_inbox();
  connection_->subscribe(inbox + ".*", [&](const nats::message& x) {
    auto answer = decode_registration_reply(x.body);
    std::lock_guard guard{mutex};
    size_t i = SIZE_MAX;
    auto token = last_token(x.subject);
    std::from_chars(token.data(), token.data() + token.size(), i);
    if (!answer || i >= done.size())
      return;
    if (auto* rejected = std::get_if<registration_rejected>(&*answer))
      refusal = rejected->detail;
    else if (!done[i])
      --missing;
    done[i] = true;
    changed.notify_all();
  });
  auto is_over = [&] {
    return missing == 0 || !refusal.empty();
  };
  auto deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_lock guard{mutex};
  while (!is_over() && !bed_.is_stopped()
         && std::chrono::steady_clock::now() < deadline) {
    for (size_t i = 0; i < done.size(); ++i)
      if (!done[i])
        connection_->publish(subject_of(subjects::instance_register, i),
                             encode(registration{register_instance{
                                 options_.format, incarnation_,
                                 inbox + "." + std::to_string(i)}}));
    guard.unlock();
    connection_->flush();
    guard.lock();
    changed.wait_for(guard, register_again, is_over);
  }
  guard.unlock();
  connection_->unsubscribe(inbox + ".*");
  bed_.check_stop();
  if (!refusal.empty())
    throw bench_error{"an instance was not registered: " + refusal};
  if (missing > 0)
    throw bench_error{std::to_string(missing)
                      + " instances got no answer to their registration"};
}

void receivers::begin_run() {
  loop_.run_and_wait([this] {
    totals_ = {};
    deliveries_ = 0;
    for (auto& x : tallies_)
      x.forget();
  });
}

void receivers::begin_window() {
  loop_.run_and_wait([this] { totals_.latency = {}; });
}

receivers::totals receivers::take_totals() {
  totals result;
  loop_.run_and_wait([&] { result = totals_; });
  return result;
}

} // namespace fantail::bench
