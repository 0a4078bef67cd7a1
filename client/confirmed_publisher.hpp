// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/nats/event_loop.hpp"
#include "runtime/nats/jetstream.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fantail::client {

struct confirmed_publisher_options {
  /// Messages under way; one more is not accepted. Thousands in one stream
  /// starve its consumers.
  size_t in_flight_max = 1'000;
  /// A message without an acknowledgement is published again after this time.
  duration acknowledge_timeout = std::chrono::seconds{2};
  /// Pause after a refusal that may pass, such as a full stream.
  duration retry_pause = std::chrono::milliseconds{250};
};

/// Publishes to JetStream and repeats each message, with the same
/// `Nats-Msg-Id`, until the server says that it is stored or never will be. A
/// repeat within the server's window is stored once only.
///
/// Messages of one subject are stored in the order of their publishing, unless
/// one is repeated while later ones are under way.
///
/// Any thread may publish. Handlers run on the loop's thread and must not
/// block. Destroying it forgets what is under way; no handler runs afterwards.
class confirmed_publisher {
public:
  using handler = std::function<void(const nats::publish_ack&)>;

  /// `loop` and `via` have to live longer; `via` has to run on `loop`.
  confirmed_publisher(nats::event_loop& loop, nats::connection& via,
                      confirmed_publisher_options options = {});
  ~confirmed_publisher();
  confirmed_publisher(const confirmed_publisher&) = delete;
  confirmed_publisher& operator=(const confirmed_publisher&) = delete;

  /// Publishes `body`; `headers` are further header lines, each with its line
  /// break. While the connection is down the message waits. False if too many
  /// messages are under way.
  /// REQUIRES: `subject` and `id` are made of tokens, `body` fits a message.
  bool publish(std::string subject, std::string_view id,
               std::string_view headers, std::string body, handler on_settled);

  size_t in_flight() const;

  /// Messages that were published again.
  uint64_t repeats() const;

private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace fantail::client
