// SPDX-License-Identifier: MIT
#include "runtime/nats/egress_link.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace fantail::nats {

namespace {

constexpr std::string_view marker_token = "m";
constexpr std::string_view asked_token = "q";

uint64_t number_in(std::string_view digits) {
  uint64_t result = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return result;
}

} // namespace

egress_link::egress_link(event_loop& loop, connect_options options) {
  connection::handlers on;
  on.on_up = [this](uint64_t life) {
    was_unheard_ = false;
    if (on_.on_up)
      on_.on_up(life);
  };
  on.on_down = [this](uint64_t, const std::string&) {
    if (on_.on_down)
      on_.on_down();
  };
  connection_
      = std::make_unique<connection>(loop, std::move(options), std::move(on));
  inbox_ = connection_->new_inbox();
}

void egress_link::start(handlers on) {
  on_ = std::move(on);
  // One subscription for everything, since only that keeps the order.
  connection_->subscribe(
      inbox_ + ".>", [this](const message& x) { on_message(x); },
      [this] { was_unheard_ = true; });
  connection_->start();
}

void egress_link::on_message(const message& x) {
  auto token = x.subject.substr(std::min(x.subject.size(), inbox_.size() + 1));
  if (token == marker_token) {
    if (on_.on_marker)
      on_.on_marker(connection_->life(), number_in(x.body));
  } else if (token == asked_token) {
    auto index = static_cast<uint16_t>(number_in(x.body));
    if (std::exchange(was_unheard_, false) && on_.on_unheard)
      on_.on_unheard(instance_index{index});
  }
}

void egress_link::stop() {
  connection_.reset();
  // The handlers hold the egress; a detached actor keeps its thread, and CAF
  // waits for that, while anybody holds it.
  on_ = {};
}

bool egress_link::publish(std::string_view subject, std::string_view body,
                          std::string_view headers) {
  return connection_->publish(subject, body, {}, headers);
}

bool egress_link::publish_asking(std::string_view subject,
                                 std::string_view body,
                                 std::string_view headers,
                                 instance_index instance) {
  // That nobody listens comes without saying who was asked for; what follows
  // the question on the same way does.
  return connection_->publish(subject, body, inbox_ + ".u", headers)
         && connection_->publish(inbox_ + ".q", std::to_string(instance.value));
}

void egress_link::flush() {
  connection_->flush();
}

size_t egress_link::buffered() const {
  return connection_->buffered();
}

bool egress_link::publish_marker(uint64_t number) {
  return connection_->publish(inbox_ + ".m", std::to_string(number));
}

} // namespace fantail::nats
