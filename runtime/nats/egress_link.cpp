// SPDX-License-Identifier: MIT
#include "runtime/nats/egress_link.hpp"

#include "core/subject.hpp"

#include <algorithm>
#include <charconv>

namespace fantail::nats {

namespace {

constexpr std::string_view marker_token = "m";

uint64_t number_in(std::string_view digits) {
  uint64_t result = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return result;
}

} // namespace

egress_link::egress_link(event_loop& loop, connect_options options) {
  connection::handlers on;
  on.on_up = [this](uint64_t life) {
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
  // One subscription for both, since only that keeps their order.
  connection_->subscribe(inbox_ + ".>", [this](const message& x) {
    auto kind = x.subject.substr(std::min(x.subject.size(), inbox_.size() + 1));
    if (kind == marker_token) {
      if (on_.on_marker)
        on_.on_marker(connection_->life(), number_in(x.body));
    } else if (x.status() == "503" && on_.on_unheard) {
      auto index = number_in(last_token(kind));
      on_.on_unheard(instance_index{static_cast<uint16_t>(index)});
    }
  });
  connection_->start();
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
  auto reply = inbox_ + ".u." + std::to_string(instance.value);
  return connection_->publish(subject, body, reply, headers);
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
