// SPDX-License-Identifier: MIT
#pragma once

#include "core/control/instance_codec.hpp"
#include "core/delivery/frame_reader.hpp"
#include "core/pull.hpp"
#include "runtime/nats/connection.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fantail::client {

struct instance_options {
  /// A token, used by no other instance of the cluster.
  std::string name;
  delivery_format format = delivery_format::frame;
  /// Where the life begins (`frame`): `positions` is what the service has
  /// stored of its last life; without it, `start` counts.
  start_from start = start_from::head;
  std::vector<shard_start> positions = {};
  /// Fantail may ask for shorter ones when it answers the registration.
  duration heartbeat_interval = std::chrono::seconds{5};
  duration acknowledge_interval = std::chrono::milliseconds{100};
  /// Without an answer the registration is repeated after this time.
  duration register_timeout = std::chrono::seconds{2};
  frame_reader_config reader = {};
};

/// One notification service instance: registers, keeps its sessions alive with
/// heartbeats and receives the chat events of its users' channels
/// (docs/PROTOCOL.md, §3 to §6).
///
/// In the format `frame` each event comes exactly once and in the order of its
/// shard; gaps are closed, positions acknowledged and a lag caught up without
/// the user's help. In the format `single` events come as they are: channel
/// and position are unknown (`channel` is empty, `pos` 0), and after a restart
/// or a lost connection some may come again.
///
/// Any number of instances share one connection, if their names differ. Any
/// thread may call; handlers run on the loop's thread and must not block.
class instance {
public:
  struct handlers {
    /// The events that follow came in this section (`frame`); for those who
    /// want to check, or to store what they have got.
    std::function<void(const frame::section_header&)> on_section = {};
    /// The views are valid during the call only.
    std::function<void(const chat_event&)> on_event = {};
    /// Events were lost for good: tell the users, or ask the history.
    std::function<void(const frame_reader::loss&)> on_loss = {};
    /// Called once: from now on sessions may be announced.
    std::function<void(const instance_registered&)> on_registered = {};
    /// Fantail refused the registration; it is repeated later.
    std::function<void(const registration_rejected&)> on_rejected = {};
    /// Fantail has not heard the instance for so long that its sessions have
    /// ended, or may have: send the presence of all its users again.
    std::function<void()> on_sessions_ended = {};
    /// Another life with the same name took over; this one gets nothing more.
    std::function<void()> on_replaced = {};
  };

  struct statistics {
    uint64_t events = 0;
    uint64_t messages = 0;
    uint64_t bytes = 0;
    /// Messages in the format `frame` that are no frames.
    uint64_t malformed = 0;
    frame_reader::counters reader;
  };

  /// `loop` and `via` have to live longer; `via` has to run on `loop`.
  /// REQUIRES: the name is a token.
  instance(nats::event_loop& loop, nats::connection& via,
           instance_options options, handlers on);

  /// Vanishes without a word, as after a crash; call `stop` for a good-bye.
  ~instance();
  instance(const instance&) = delete;
  instance& operator=(const instance&) = delete;

  /// Subscribes and registers, now and after every new connection.
  void start();

  /// Waits for the answer to the registration; false after `timeout`. Never
  /// on the loop's thread.
  bool wait_registered(duration timeout);

  /// Deregisters and receives nothing more.
  void stop();

  statistics count() const;

  /// How far every shard was delivered: what to store with the effects of the
  /// events, and to begin the next life with. Empty before the registration.
  std::vector<shard_start> positions() const;

private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace fantail::client
