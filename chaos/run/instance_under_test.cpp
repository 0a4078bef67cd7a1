// SPDX-License-Identifier: MIT
#include "chaos/run/instance_under_test.hpp"

#include <utility>

namespace fantail::chaos {

instance_under_test::instance_under_test(const world& in, recorder& notes,
                                         std::string url,
                                         instance_number number)
    : world_(in), notes_(notes), url_(std::move(url)), number_(number),
      format_(world::format_of(number)), loop_(world::instance_name(number)) {
  // nop
}

instance_under_test::~instance_under_test() {
  go_on();
  instance_ = nullptr;
  via_ = nullptr;
}

void instance_under_test::start() {
  nats::connect_options options;
  options.url = url_;
  options.name = "chaos " + world::instance_name(number_);
  via_ = std::make_unique<nats::connection>(
      loop_, std::move(options),
      nats::connection::handlers{[this](uint64_t) {
                                   notes_.note(link_changed{number_, true});
                                 },
                                 [this](uint64_t, const std::string&) {
                                   notes_.note(link_changed{number_, false});
                                 },
                                 {}});
  client::instance_options who;
  who.name = world::instance_name(number_);
  who.format = format_;
  who.positions = positions_;
  client::instance::handlers on;
  on.on_section = [this](auto& header) {
    epoch_ = header.epoch;
  };
  on.on_event = [this](auto& event) {
    take(event);
  };
  on.on_loss = [this](auto& x) {
    notes_.note(loss_reported{number_, x.shard, x.from, x.to});
  };
  on.on_sessions_ended = [this] {
    notes_.note(sessions_lapsed{number_});
  };
  on.on_replaced = [this] {
    notes_.note(garbage_received{number_, "was replaced"});
  };
  instance_ = std::make_unique<client::instance>(loop_, *via_, std::move(who),
                                                 std::move(on));
  // Its subscription is there before the connection is.
  instance_->start();
  via_->start();
}

bool instance_under_test::wait_registered(duration timeout) {
  return instance_->wait_registered(timeout);
}

void instance_under_test::kill() {
  notes_.note(link_changed{number_, false});
  // At once, so that nothing is received that the positions do not know.
  loop_.run_and_wait([this] {
    auto known = instance_->positions();
    if (format_ == delivery_format::frame && !known.empty())
      positions_ = std::move(known);
    instance_ = nullptr;
  });
  via_ = nullptr;
}

void instance_under_test::stall() {
  {
    std::lock_guard guard{mutex_};
    if (std::exchange(is_stalled_, true))
      return;
  }
  loop_.post([this] {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [this] { return !is_stalled_; });
  });
}

void instance_under_test::go_on() {
  {
    std::lock_guard guard{mutex_};
    is_stalled_ = false;
  }
  changed_.notify_all();
}

void instance_under_test::take(const chat_event& x) {
  auto what = world_.read(x.body);
  auto is_frame = format_ == delivery_format::frame;
  if (!what || (is_frame && x.channel != world::channel_name(what->channel))) {
    notes_.note(garbage_received{number_, std::string{x.body.substr(0, 80)}});
    return;
  }
  notes_.note(event_received{number_, what->event,
                             world_.shard_of(what->channel),
                             is_frame ? epoch_ : epoch{}});
}

} // namespace fantail::chaos
