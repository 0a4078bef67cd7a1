// SPDX-License-Identifier: MIT
#include "chaos/run/load.hpp"

#include "core/json.hpp"
#include "core/subject.hpp"

#include <algorithm>

namespace fantail::chaos {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// Events that wait for their acknowledgement, in seconds of the load and as a
/// number: during an outage there are no more, since of each of them little can
/// be decided.
constexpr double in_flight_seconds = 0.2;
constexpr size_t in_flight_min = 50;
constexpr size_t in_flight_max = 4'000;
/// Changes that wait for an answer; during an outage there are no more.
constexpr size_t calls_in_flight_max = 200;
constexpr size_t fill_in_flight_max = 2'000;
constexpr auto load_step = 1ms;
constexpr auto question_timeout = 2s;

nats::connect_options options_for(const std::string& url,
                                  const std::string& name) {
  nats::connect_options result;
  result.url = url;
  result.name = name;
  return result;
}

size_t in_flight_at(double rate) {
  return std::clamp(static_cast<size_t>(rate * in_flight_seconds),
                    in_flight_min, in_flight_max);
}

client::producer_options producing(double rate) {
  client::producer_options result;
  result.publishing.in_flight_max = in_flight_at(rate);
  return result;
}

/// An answer dies with the node that owed it, so ask again soon.
client::presence_source_options telling() {
  client::presence_source_options result;
  result.publishing.in_flight_max = fill_in_flight_max;
  result.answer_timeout = 2s;
  result.attempts_max = 60;
  return result;
}

presence_op op_of(presence_call_kind x) {
  switch (x) {
  case presence_call_kind::online:
    return presence_op::online;
  case presence_call_kind::offline:
    return presence_op::offline;
  case presence_call_kind::set:
    return presence_op::set;
  case presence_call_kind::join:
    return presence_op::join;
  default:
    return presence_op::leave;
  }
}

presence_outcome outcome_of(const std::optional<presence_answer>& x) {
  if (!x)
    return presence_outcome::unknown;
  return x->what == presence_answer::status::rejected
             ? presence_outcome::rejected
             : presence_outcome::done;
}

} // namespace

load::load(const world& in, recorder& notes, const std::string& url,
           load_options options)
    : world_(in), notes_(notes), options_(options),
      events_via_(loop_, options_for(url, "chaos producers")),
      presence_via_(loop_, options_for(url, "chaos users")),
      random_(options.seed), users_(in.config().users) {
  events_via_.start();
  presence_via_.start();
  producer_ = std::make_unique<client::producer>(loop_, events_via_,
                                                 producing(options.rate));
  presence_ = std::make_unique<client::presence_source>(loop_, presence_via_,
                                                        telling());
}

load::~load() {
  end();
  producer_ = nullptr;
  presence_ = nullptr;
}

bool load::wait_up(duration timeout) {
  return events_via_.wait_up(timeout) && presence_via_.wait_up(timeout);
}

// -- presence
// --------------------------------------------------------------------

void load::send(presence_called x) {
  x.call = ++last_call_;
  presence_update update;
  update.op = op_of(x.what);
  if (x.what == presence_call_kind::online
      || x.what == presence_call_kind::offline)
    update.session = world::session_name(x.session);
  if (x.what == presence_call_kind::online)
    update.instance = world::instance_name(x.instance);
  for (auto channel : x.channels)
    update.channels.push_back(world::channel_name(channel));
  update.has_channels
      = !x.channels.empty() || x.what == presence_call_kind::set;
  auto call = x.call;
  auto name = world::user_name(x.user);
  notes_.note(std::move(x));
  presence_->change(name, std::move(update), [this, call](auto& answer) {
    notes_.note(presence_answered{call, outcome_of(answer)});
  });
}

void load::go_online(user_number number, session_number session,
                     instance_number instance,
                     const std::vector<channel_number>& channels) {
  auto& user = users_[number];
  user.sessions[session] = instance;
  user.channels.insert(channels.begin(), channels.end());
  send({0, number, presence_call_kind::online, session, instance, channels});
}

bool load::fill(duration timeout, const std::atomic<bool>& stop) {
  auto until = steady::now() + timeout;
  for (user_number i = 0; i < users_.size(); ++i) {
    while (presence_->unanswered() >= fill_in_flight_max) {
      if (stop || steady::now() > until)
        return false;
      std::this_thread::sleep_for(load_step);
    }
    go_online(i, 0, world_.home_of(i), world_.channels_of(i));
  }
  while (presence_->unanswered() > 0) {
    if (stop || steady::now() > until)
      return false;
    std::this_thread::sleep_for(load_step);
  }
  return true;
}

void load::change_one() {
  if (presence_->unanswered() >= calls_in_flight_max)
    return;
  auto number = static_cast<user_number>(random_() % users_.size());
  auto& user = users_[number];
  auto home = world_.home_of(number);
  auto dice = random_() % 20;
  using enum presence_call_kind;
  if (user.sessions.empty() || dice < 2) {
    auto away = static_cast<instance_number>((home + random_() % 2)
                                             % world_.config().instances);
    // A new session, or one that moves.
    go_online(number, static_cast<session_number>(random_() % 2), away, {});
  } else if (dice < 4) {
    auto session = user.sessions.begin()->first;
    user.sessions.erase(session);
    send({0, number, offline, session, 0, {}});
  } else if (dice < 12 || user.channels.empty()) {
    auto channel = world_.draw_channel(home, random_);
    user.channels.insert(channel);
    send({0, number, join, 0, 0, {channel}});
  } else if (dice < 19) {
    auto at = user.channels.begin();
    std::advance(at, static_cast<long>(random_() % user.channels.size()));
    auto channel = *at;
    user.channels.erase(at);
    send({0, number, leave, 0, 0, {channel}});
  } else {
    auto channels = world_.channels_of(number);
    user.channels = {channels.begin(), channels.end()};
    send({0, number, set, 0, 0, std::move(channels)});
  }
}

bool load::ask_for(user_number number) {
  user_seen seen{number, steady::now()};
  auto answer
      = presence_via_.request_wait(std::string{subjects::presence_query}
                                       + "user." + world::user_name(number),
                                   {}, question_timeout);
  auto parsed = answer ? json::parse(*answer) : std::nullopt;
  auto* sessions = parsed ? parsed->find("sessions") : nullptr;
  if (!sessions || !sessions->if_array())
    return false;
  for (auto& x : *sessions->if_array()) {
    auto session = world::number_in(x.string_or("session", ""));
    auto instance = world::number_in(x.string_or("instance", ""));
    seen.sessions.emplace_back(
        session.value_or(UINT32_MAX),
        static_cast<instance_number>(instance.value_or(UINT16_MAX)));
  }
  notes_.note(std::move(seen));
  return true;
}

// -- events
// ----------------------------------------------------------------------

void load::publish_one() {
  auto event = last_event_++;
  auto channel = world_.draw_channel(
      static_cast<instance_number>(random_() % world_.config().instances),
      random_);
  notes_.note(publish_called{event, channel});
  auto result = producer_->send(
      world::channel_name(channel), world_.id_of(event),
      world_.body_of(event, channel), [this, event](auto& outcome) {
        if (outcome.pos)
          notes_.note(publish_stored{event, *outcome.pos});
        else
          notes_.note(publish_refused{event});
      });
  if (result != client::producer::send_result::accepted)
    notes_.note(publish_refused{event});
}

void load::begin() {
  is_over_ = false;
  thread_ = std::thread{[this] {
    work();
  }};
}

void load::end() {
  is_over_ = true;
  if (thread_.joinable())
    thread_.join();
}

void load::work() {
  auto last = steady::now();
  double events_due = 0, calls_due = 0;
  while (!is_over_) {
    std::this_thread::sleep_for(load_step);
    auto now = steady::now();
    auto elapsed = std::chrono::duration<double>(now - last).count();
    last = now;
    events_due += elapsed * options_.rate;
    calls_due += elapsed * options_.churn;
    for (; events_due >= 1; --events_due) {
      if (producer_->in_flight() >= in_flight_at(options_.rate)) {
        // An outage; what could not be said is not said later.
        events_due = 0;
        break;
      }
      publish_one();
    }
    for (; calls_due >= 1; --calls_due)
      change_one();
  }
}

bool load::is_quiet() const {
  return producer_->in_flight() == 0 && presence_->unanswered() == 0;
}

std::string load::what_is_open() const {
  return std::to_string(producer_->in_flight()) + " events are not stored, "
         + std::to_string(presence_->unanswered())
         + " presence changes not answered";
}

// -- bad input
// -------------------------------------------------------------------

void load::publish_garbage(std::mt19937_64& random, int count) {
  static constexpr std::string_view subjects[] = {
      "presence.update.chaos-nobody",
      "instance.register.chaos-nobody",
      "instance.ack.ci-0",
      "instance.range.ci-0",
      "instance.heartbeat.ci-0",
      "presence.query.channel.cc-0",
      "presence.watch.user.cu-0",
      "messages.send.chaos.too.many.tokens",
      "presence.update.cu-0",
      "presence.query.user.chaos",
  };
  static constexpr std::string_view bodies[]
      = {"{",
         "[[[[[[[[[[[[[[[[[[[[[[[[",
         "\xff\xfe\xfd",
         "null",
         "{\"op\":7}",
         "{\"op\":\"online\",\"session\":\"a b\"}",
         "{\"op\":\"join\",\"channels\":[\"x y\"]}",
         "{\"incarnation\":{},\"positions\":[]}",
         "{\"op\":\"register\",\"format\":\"parcel\",\"incarnation\":\"x\"}"};
  for (int i = 0; i < count; ++i) {
    auto subject = subjects[random() % std::size(subjects)];
    std::string body{bodies[random() % std::size(bodies)]};
    if (random() % 10 == 0)
      body.resize(32 * 1024, '\0');
    events_via_.publish(subject, body);
  }
  events_via_.flush();
}

} // namespace fantail::chaos
