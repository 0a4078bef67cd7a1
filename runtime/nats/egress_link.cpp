// SPDX-License-Identifier: MIT
#include "runtime/nats/egress_link.hpp"

#include <charconv>

namespace fantail::nats {

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
  marker_inbox_ = connection_->new_inbox();
}

void egress_link::start(handlers on) {
  on_ = std::move(on);
  connection_->subscribe(marker_inbox_, [this](const message& x) {
    uint64_t number = 0;
    std::from_chars(x.body.data(), x.body.data() + x.body.size(), number);
    if (on_.on_marker)
      on_.on_marker(connection_->life(), number);
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

void egress_link::flush() {
  connection_->flush();
}

size_t egress_link::buffered() const {
  return connection_->buffered();
}

bool egress_link::publish_marker(uint64_t number) {
  return connection_->publish(marker_inbox_, std::to_string(number));
}

} // namespace fantail::nats
