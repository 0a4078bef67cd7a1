// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports.hpp"
#include "runtime/nats/connection.hpp"

#include <functional>
#include <memory>
#include <string>

namespace fantail::nats {

/// One connection to the instances: the bus behind an egress actor. Markers
/// travel to an inbox of our own on the same connection, where the server
/// handles everything in order.
class egress_link final : public bus_port {
public:
  struct handlers {
    std::function<void(uint64_t life)> on_up;
    std::function<void()> on_down;
    std::function<void(uint64_t life, uint64_t number)> on_marker;
    /// Nobody listens to what was published asking.
    std::function<void(instance_index)> on_unheard;
  };

  /// REQUIRES: `loop` outlives the link.
  egress_link(event_loop& loop, connect_options options);

  void start(handlers on);
  /// Ends the connection; no handler runs afterwards.
  void stop();
  bool is_up() const noexcept { return connection_ && connection_->is_up(); }

  bool publish(std::string_view subject, std::string_view body,
               std::string_view headers) override;
  bool publish_asking(std::string_view subject, std::string_view body,
                      std::string_view headers,
                      instance_index instance) override;
  void flush() override;
  size_t buffered() const override;
  bool publish_marker(uint64_t number) override;

private:
  void on_message(const message& x);

  /// Somebody was asked for since the last answer, in vain; of the loop's
  /// thread.
  bool was_unheard_ = false;
  handlers on_;
  std::string inbox_;
  std::unique_ptr<connection> connection_;
};

} // namespace fantail::nats
