// SPDX-License-Identifier: MIT
#include "bench/presence_load.hpp"

#include "bench/open_loop.hpp"
#include "client/presence_source.hpp"
#include "core/subject.hpp"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::string_view session_name = "s1";

/// Bytes of changes under way while the table is filled.
constexpr size_t fill_bytes_under_way = 16 * 1024 * 1024;
constexpr size_t bytes_per_channel = 14;
constexpr size_t fill_changes_max = 2'000;
constexpr auto fill_patience = 120s;

constexpr auto away = 500ms;
constexpr auto shortest_pause = 1ms;
constexpr auto answer_patience = 5s;

} // namespace

/// Change number n: the even ones send a user away, the odd ones bring back
/// the one who left `away` before.
struct presence_load::change {
  uint32_t user;
  presence_op op;
  /// Travels in the reply subject: an answer tells its own latency.
  int64_t intended_at_ns;
  /// Of a user who says so.
  channel_list channels = {};
};

presence_load::presence_load(const std::string& url, population_config world)
    : world_(world), loop_("bench-presence") {
  connection_ = connect_to(loop_, url, "fantail bench presence");
  answer_inbox_ = connection_->new_inbox();
  ack_inbox_ = connection_->new_inbox();
  connection_->subscribe(answer_inbox_ + ".*",
                         [this](const nats::message& x) { on_answer(x); });
  connection_->subscribe(ack_inbox_, [](const nats::message&) {
    // The server insists on acknowledging; losses show up as wrong counts.
  });
}

presence_load::~presence_load() {
  connection_ = nullptr;
}

void presence_load::fill(const std::function<void(double)>& progress,
                         const std::atomic<bool>& stop) {
  client::presence_source_options options;
  options.publishing.in_flight_max = fill_changes_max;
  options.answer_timeout = 60s;
  client::presence_source source{loop_, *connection_, options};
  auto& shape = world_.config();
  auto body_bytes = bytes_per_channel * size_t{shape.channels_per_user} + 100;
  auto under_way_max = std::clamp(fill_bytes_under_way / body_bytes, size_t{16},
                                  fill_changes_max);
  std::mutex mutex;
  std::string refusal;
  std::atomic<uint32_t> joined = 0;
  auto on_answer = [&](const std::optional<presence_answer>& x) {
    std::lock_guard guard{mutex};
    if (!x)
      refusal = "nobody answers";
    else if (x->what == presence_answer::status::rejected)
      refusal = x->detail;
    ++joined;
  };
  std::vector<uint32_t> channels;
  auto moved_at = steady::now();
  auto joined_before = joined.load();
  uint32_t user = 0;
  while (joined < shape.users && !stop) {
    if (user < shape.users && source.unanswered() < under_way_max) {
      world_.channels_of(user, channels);
      source.online(population::user_name(user), session_name,
                    population::instance_name(world_.instance_of(user)),
                    population::channel_names(channels), on_answer);
      ++user;
      continue;
    }
    std::this_thread::sleep_for(1ms);
    if (std::exchange(joined_before, joined.load()) != joined)
      moved_at = steady::now();
    progress(static_cast<double>(joined) / shape.users);
    std::lock_guard guard{mutex};
    if (!refusal.empty())
      throw bench_error{"a user cannot come online: " + refusal};
    if (steady::now() - moved_at > fill_patience)
      throw bench_error{"the table does not fill any further"};
  }
}

void presence_load::publish_change(const change& x) {
  presence_update update;
  update.op = x.op;
  update.session = session_name;
  if (x.op == presence_op::online)
    update.instance
        = population::instance_name(world_.instance_of(x.user)).view();
  update.has_channels = !x.channels.empty();
  update.channels = x.channels;
  update.reply_to = answer_inbox_ + "." + std::to_string(x.intended_at_ns);
  auto user = population::user_name(x.user);
  connection_->publish(
      std::string{subjects::presence_input}.append(user.view()), encode(update),
      ack_inbox_);
}

void presence_load::on_answer(const nats::message& x) {
  auto now = to_ns(steady::now());
  auto digits = last_token(x.subject);
  int64_t intended = now;
  std::from_chars(digits.data(), digits.data() + digits.size(), intended);
  latency_.record(now - intended);
  answered_.fetch_add(1, std::memory_order_relaxed);
}

presence_load::churn_outcome
presence_load::churn(double changes_per_second, duration length,
                     const std::atomic<bool>& stop) {
  uint64_t changes = 0;
  begin_count();
  auto seconds = std::chrono::duration<double>(length).count();
  auto departures = static_cast<uint64_t>(changes_per_second * seconds / 2);
  auto lag = static_cast<uint64_t>(
      changes_per_second / 2 * std::chrono::duration<double>(away).count());
  open_loop plan{to_ns(steady::now()), changes_per_second / 2};
  auto user_of = [this](uint64_t n) {
    return static_cast<uint32_t>(n % world_.config().users);
  };
  uint64_t done = 0;
  while (done < departures + lag) {
    // A stop still brings everybody back.
    if (stop)
      departures = std::min(departures, done);
    auto due = std::min(plan.due(to_ns(steady::now())), departures + lag);
    for (; done < due; ++done) {
      auto at = plan.intended_at(done);
      if (done < departures)
        publish_change({user_of(done), presence_op::offline, at});
      if (done >= lag)
        publish_change({user_of(done - lag), presence_op::online, at});
      changes += (done < departures) + (done >= lag);
    }
    connection_->flush();
    std::this_thread::sleep_for(shortest_pause);
  }
  return end_count(changes);
}

presence_load::churn_outcome
presence_load::renew(double changes_per_second, duration length,
                     const std::atomic<bool>& stop) {
  begin_count();
  auto seconds = std::chrono::duration<double>(length).count();
  auto wanted = static_cast<uint64_t>(changes_per_second * seconds);
  auto users = world_.config().users;
  open_loop plan{to_ns(steady::now()), changes_per_second};
  uint64_t done = 0;
  while (done < wanted && !stop) {
    auto due = std::min(plan.due(to_ns(steady::now())), wanted);
    for (; done < due; ++done, ++renewed_) {
      auto user = static_cast<uint32_t>(renewed_ % users);
      publish_change({user, presence_op::online, plan.intended_at(done),
                      renewed_channels(user, renewed_ / users)});
    }
    connection_->flush();
    std::this_thread::sleep_for(shortest_pause);
  }
  return end_count(done);
}

channel_list presence_load::renewed_channels(uint32_t user,
                                             uint64_t generation) {
  world_.channels_of(user, channels_);
  auto step = static_cast<uint32_t>(generation + 1) * 7'919;
  for (size_t i = 0; i < channels_.size(); i += 10)
    channels_[i] = (channels_[i] + step) % world_.config().channels;
  return population::channel_names(channels_);
}

void presence_load::begin_count() {
  loop_.run_and_wait([this] {
    latency_ = {};
    answered_ = 0;
  });
}

/// Waits for the answers that are missing; a floor gives none.
presence_load::churn_outcome presence_load::end_count(uint64_t changes) {
  churn_outcome result;
  result.changes = changes;
  auto deadline = steady::now() + answer_patience;
  while (answered_ > 0 && answered_ < changes && steady::now() < deadline)
    std::this_thread::sleep_for(1ms);
  loop_.run_and_wait([&] { result.answer_latency = latency_; });
  result.answered = answered_;
  return result;
}

} // namespace fantail::bench
