// SPDX-License-Identifier: MIT
#include "bench/load_generator.hpp"

#include "bench/open_loop.hpp"
#include "core/subject.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

/// Enough to keep the server busy, and few enough for its queues.
constexpr uint64_t unacknowledged_max = 20'000;
constexpr uint64_t store_burst = 500;
constexpr uint64_t publish_burst = 500;

/// In an open loop one event of so many is acknowledged.
constexpr uint64_t events_per_acknowledgement = 32;
constexpr auto store_patience = 30s;

/// The shortest pause between two bursts of an open loop: below it the
/// generator would take a core from what it measures.
constexpr auto shortest_pause = 500us;

/// Bytes the socket did not take yet at which the generator waits: nats.c moves
/// the rest of its buffer after every write, so a backlog there would feed on
/// the machine it waits for. What waits is late, and is counted as late.
constexpr size_t unwritten_bytes_pause = 256 * 1024;

} // namespace

load_generator::load_generator(const test_bed& bed, load_options options)
    : channels_(options.channels, options.skew, options.seed),
      first_channel_(options.first_channel),
      body_(options.body_bytes, options.is_timed), members_(options.members),
      loop_("bench-load") {
  connection_ = bed.connect(loop_, "fantail bench load");
  inbox_ = connection_->new_inbox();
  connection_->subscribe(inbox_, [this](const nats::message& x) {
    // Only a refusal names an error.
    auto is_refused = x.body.find("\"error\"") != std::string_view::npos;
    (is_refused ? refused_ : stored_).fetch_add(1, std::memory_order_relaxed);
  });
}

load_generator::~load_generator() {
  connection_ = nullptr;
}

void load_generator::publish_one(int64_t intended_at_ns, bool is_acknowledged) {
  subject_ = subjects::chat_input;
  auto channel = first_channel_ + channels_.next();
  subject_ += population::channel_name(channel).view();
  if (members_)
    deliveries_ += members_->instances_of(channel).size();
  auto number = published_.fetch_add(1, std::memory_order_relaxed);
  asked_.fetch_add(is_acknowledged, std::memory_order_relaxed);
  auto reply = is_acknowledged ? std::string_view{inbox_} : std::string_view{};
  if (!connection_->publish(subject_, body_.stamp(intended_at_ns, number),
                            reply))
    throw bench_error{"the producer lost its connection"};
}

load_generator::outcome load_generator::store(uint64_t events) {
  outcome result;
  auto start = steady::now();
  auto refused_before = refused_.load();
  auto progress_at = start;
  auto settled = stored_ + refused_;
  while (result.published < events) {
    auto now_settled = stored_ + refused_;
    if (asked_ - now_settled + store_burst > unacknowledged_max) {
      if (std::exchange(settled, now_settled) != now_settled)
        progress_at = steady::now();
      if (steady::now() - progress_at > store_patience)
        throw bench_error{"the server does not acknowledge chat events"};
      std::this_thread::sleep_for(100us);
      continue;
    }
    auto burst = std::min(store_burst, events - result.published);
    for (uint64_t i = 0; i < burst; ++i)
      publish_one(to_ns(steady::now()), true);
    result.published += burst;
    connection_->flush();
  }
  if (!wait_acknowledged(store_patience) || refused_ != refused_before)
    throw bench_error{"the server did not store all chat events"};
  result.seconds = std::chrono::duration<double>(steady::now() - start).count();
  return result;
}

load_generator::outcome load_generator::publish(double rate, duration length,
                                                const std::atomic<bool>& stop) {
  outcome result;
  auto start = steady::now();
  open_loop plan{to_ns(start), rate};
  auto total = static_cast<uint64_t>(
      rate * std::chrono::duration<double>(length).count());
  while (result.published < total && !stop) {
    auto now = steady::now();
    if (connection_->buffered() > unwritten_bytes_pause) {
      std::this_thread::sleep_for(shortest_pause);
      connection_->flush();
      continue;
    }
    auto due = std::min(
        {plan.due(to_ns(now)), total, result.published + publish_burst});
    auto first = result.published;
    for (; result.published < due; ++result.published)
      publish_one(plan.intended_at(result.published),
                  result.published % events_per_acknowledgement == 0);
    connection_->flush();
    // An event has left when the socket was offered it, so its lateness counts
    // to here.
    auto written = to_ns(steady::now());
    for (auto i = first; i < due; ++i)
      result.lateness.record(written - plan.intended_at(i));
    result.unwritten_bytes_max
        = std::max(result.unwritten_bytes_max, connection_->buffered());
    auto next = steady::time_point{
        std::chrono::nanoseconds{plan.intended_at(result.published)}};
    std::this_thread::sleep_until(std::max(next, now + shortest_pause));
  }
  result.seconds = std::chrono::duration<double>(steady::now() - start).count();
  return result;
}

bool load_generator::wait_acknowledged(duration timeout) const {
  auto deadline = steady::now() + timeout;
  while (stored_ + refused_ < asked_) {
    if (steady::now() > deadline)
      return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

} // namespace fantail::bench
