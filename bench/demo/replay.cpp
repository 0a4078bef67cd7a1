// SPDX-License-Identifier: MIT
#include "bench/demo/replay.hpp"

#include "bench/demo/chatter.hpp"
#include "client/instance.hpp"
#include "client/presence_source.hpp"
#include "client/producer.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <random>
#include <utility>

namespace fantail::demo {

namespace {

constexpr auto tick_interval = std::chrono::milliseconds{1};

/// So that answers and deliveries get their turn when the trace is played as
/// fast as possible.
constexpr size_t rows_per_tick_max = 500;

/// Messages under way. More would make the streams' readers starve.
constexpr size_t in_flight_max = 2'000;

/// Distinguishes runs against the same server.
std::string new_run() {
  constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::random_device source;
  std::string result;
  for (int i = 0; i < 6; ++i)
    result += alphabet[source() % alphabet.size()];
  return result;
}

delivery_format format_of(size_t instance) {
  return instance % 2 == 0 ? delivery_format::frame : delivery_format::single;
}

verifier_config config_for(uint16_t instances) {
  verifier_config result;
  for (uint16_t i = 0; i < instances; ++i)
    result.formats.push_back(format_of(i));
  return result;
}

client::producer_options producer_options() {
  client::producer_options result;
  result.publishing.in_flight_max = in_flight_max;
  return result;
}

} // namespace

/// Everything here belongs to the loop's thread.
class replay::state : public std::enable_shared_from_this<state> {
public:
  using action = crowd::action;
  using kind = crowd::action::kind;

  state(nats::event_loop& loop, nats::connection& producers,
        nats::connection& instances, trace_reader& trace,
        replay_options options)
      : loop(loop), options_(options), run_(new_run()),
        rows_(trace, options.rooms), verifier_(config_for(options.instances)),
        producer_(std::make_unique<client::producer>(loop, producers,
                                                     producer_options())),
        presence_(std::make_unique<client::presence_source>(loop, producers)) {
    for (uint16_t i = 0; i < options.instances; ++i)
      add_instance(instances, i);
  }

  void play() {
    next_row_ = rows_.next();
    began_ = std::chrono::steady_clock::now();
    first_at_ms_ = next_row_ ? next_row_->at_ms : 0;
    is_playing_ = true;
  }

  void stop_playing() { is_playing_ = false; }

  void tick(time_point now) {
    for (size_t i = 0; i < rows_per_tick_max && is_playing_ && next_row_; ++i) {
      auto due = due_time(*next_row_);
      if (due > now)
        break;
      trace_at_ms_ = next_row_->at_ms;
      std::vector<action> actions;
      crowd_.take(*next_row_, due, actions);
      perform(actions);
      next_row_ = rows_.next();
    }
    publish_backlog();
    verifier_.tick(now);
  }

  void finish() {
    verifier_.finish();
    for (auto& x : instances_)
      x->stop();
  }

  progress look() const {
    progress result;
    result.count = verifier_.count();
    result.latency = verifier_.latency();
    result.lag = verifier_.lag();
    result.online = crowd_.online();
    result.memberships = crowd_.memberships();
    result.presence_unanswered = presence_->unanswered();
    result.held_back = crowd_.held_back() + backlog_.size();
    result.in_flight = producer_->in_flight();
    result.presence_changes = presence_changes_;
    result.presence_refused = presence_refused_;
    result.presence_forgotten = presence_forgotten_;
    result.publish_repeats = producer_->repeats();
    result.losses = losses_;
    result.trace_at_ms = trace_at_ms_;
    result.is_over = is_playing_ && !next_row_;
    result.is_settled = presence_->unanswered() == 0 && backlog_.empty()
                        && crowd_.held_back() == 0 && verifier_.is_complete();
    result.instances = lines_;
    return result;
  }

  /// Ends the clients before the members their handlers use.
  void close() {
    is_playing_ = false;
    producer_ = nullptr;
    presence_ = nullptr;
    instances_.clear();
  }

  nats::event_loop& loop;
  std::vector<std::unique_ptr<client::instance>> instances_;

private:
  void add_instance(nats::connection& via, uint16_t number) {
    client::instance_options options;
    options.name = numbered("notif-", number, 3) + "-" + run_;
    options.format = format_of(number);
    lines_.push_back({options.name, options.format, 0});
    client::instance::handlers on;
    on.on_event = [this, number](const chat_event& event) {
      on_event(number, event);
    };
    on.on_loss = [this](const frame_reader::loss&) {
      ++losses_;
    };
    instances_.push_back(std::make_unique<client::instance>(
        loop, via, std::move(options), std::move(on)));
  }

  time_point due_time(const trace_row& row) const {
    auto ms = static_cast<double>(row.at_ms - first_at_ms_) / options_.speed;
    return began_
           + std::chrono::duration_cast<duration>(
               std::chrono::duration<double, std::milli>{ms});
  }

  /// New in each run: what a user joined in an earlier run still counts.
  std::string user_name(uint32_t user) const {
    return numbered("usr_", user, 8) + "-" + run_;
  }

  instance_number home_of(uint32_t user) const {
    return static_cast<instance_number>(user % options_.instances);
  }

  // -- playing
  // -----------------------------------------------------------------

  void perform(const std::vector<action>& actions) {
    for (auto& x : actions)
      if (x.what == kind::publish)
        backlog_.push_back(x);
      else
        change_presence(x);
    publish_backlog();
  }

  void change_presence(const action& x) {
    ++presence_changes_;
    auto user = user_name(x.user);
    channel_list channels;
    channels.push_back(numbered("ch_", x.channel, 8));
    auto home = home_of(x.user);
    auto on_answer = [this, x](const std::optional<presence_answer>& answer) {
      on_presence_answer(x, answer);
    };
    if (x.what == kind::online || x.what == kind::join)
      verifier_.join_requested(x.channel, home,
                               std::chrono::steady_clock::now());
    switch (x.what) {
    case kind::online:
      presence_->online(user, "demo", lines_[home].name, std::move(channels),
                        on_answer);
      break;
    case kind::join:
      presence_->join(user, std::move(channels), on_answer);
      break;
    case kind::leave:
      verifier_.leave_requested(x.channel, home);
      presence_->leave(user, std::move(channels), on_answer);
      break;
    default:
      presence_->offline(user, "demo", on_answer);
    }
  }

  void on_presence_answer(const action& x,
                          const std::optional<presence_answer>& answer) {
    auto succeeded
        = answer && answer->what != presence_answer::status::rejected;
    presence_refused_ += answer && !succeeded;
    presence_forgotten_ += !answer;
    if (x.what == kind::offline)
      return;
    auto now = std::chrono::steady_clock::now();
    auto home = home_of(x.user);
    if (x.what == kind::leave) {
      // Without an answer the user may stay a member for all we know.
      if (succeeded)
        verifier_.left(x.channel, home, now);
    } else if (succeeded) {
      verifier_.joined(x.channel, home);
    } else if (answer) {
      verifier_.join_failed(x.channel, home, now);
    }
    std::vector<action> actions;
    crowd_.answered(x, succeeded, now, actions);
    perform(actions);
  }

  void publish_backlog() {
    while (!backlog_.empty() && producer_->in_flight() < in_flight_max) {
      publish(backlog_.front());
      backlog_.pop_front();
    }
  }

  void publish(const action& x) {
    auto now = std::chrono::steady_clock::now();
    auto number = verifier_.publish_began(x.channel, x.intended, now);
    auto id = run_ + "-" + std::to_string(number);
    auto channel = numbered("ch_", x.channel, 8);
    auto body = chat_body(id, channel, user_name(x.user), x.bytes);
    auto on_settled = [this, number](const client::producer::outcome& end) {
      if (end.pos)
        verifier_.stored(number, *end.pos, std::chrono::steady_clock::now());
      else
        verifier_.publish_failed(number);
      publish_backlog();
    };
    auto sent = producer_->send(channel, id, std::move(body), on_settled);
    if (sent != client::producer::send_result::accepted)
      verifier_.publish_failed(number);
  }

  void on_event(instance_number instance, const chat_event& event) {
    auto id = header_value(event.headers, "Nats-Msg-Id");
    // Somebody else may publish to our channels.
    if (!id.starts_with(run_) || id.size() < run_.size() + 2)
      return;
    auto digits = id.substr(run_.size() + 1);
    event_number number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    ++lines_[instance].events;
    verifier_.received(number, instance, std::chrono::steady_clock::now());
  }

  const replay_options options_;
  const std::string run_;
  playlist rows_;
  crowd crowd_;
  verifier verifier_;
  std::optional<trace_row> next_row_;
  bool is_playing_ = false;
  time_point began_{};
  int64_t first_at_ms_ = 0;
  int64_t trace_at_ms_ = 0;
  /// Messages whose time has come.
  std::deque<action> backlog_;
  uint64_t presence_changes_ = 0;
  uint64_t presence_refused_ = 0;
  uint64_t presence_forgotten_ = 0;
  uint64_t losses_ = 0;
  std::vector<progress::instance_line> lines_;
  std::unique_ptr<client::producer> producer_;
  std::unique_ptr<client::presence_source> presence_;
};

replay::replay(nats::event_loop& loop, nats::connection& producers,
               nats::connection& instances, trace_reader& trace,
               replay_options options)
    : state_(
        std::make_shared<state>(loop, producers, instances, trace, options)) {
  loop.every(tick_interval, [weak = std::weak_ptr{state_}](time_point now) {
    if (auto self = weak.lock())
      self->tick(now);
  });
}

replay::~replay() {
  state_->loop.run_and_wait([this] {
    state_->close();
    state_ = nullptr;
  });
}

bool replay::register_instances(duration timeout) {
  auto until = std::chrono::steady_clock::now() + timeout;
  for (auto& x : state_->instances_)
    x->start();
  return std::all_of(state_->instances_.begin(), state_->instances_.end(),
                     [&](auto& x) {
                       auto left = until - std::chrono::steady_clock::now();
                       return x->wait_registered(left);
                     });
}

void replay::play() {
  state_->loop.run_and_wait([this] { state_->play(); });
}

void replay::stop_playing() {
  state_->loop.run_and_wait([this] { state_->stop_playing(); });
}

void replay::finish() {
  state_->loop.run_and_wait([this] { state_->finish(); });
}

progress replay::look() const {
  progress result;
  state_->loop.run_and_wait([&] { result = state_->look(); });
  return result;
}

} // namespace fantail::demo
