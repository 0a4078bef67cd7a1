// SPDX-License-Identifier: MIT
#pragma once

#include "client/confirmed_publisher.hpp"
#include "core/ids.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace fantail::client {

struct producer_options {
  confirmed_publisher_options publishing;
  /// Number of shards to publish to directly, for a server without the
  /// mapping of `messages.send.*`; 0 = the server has it.
  uint16_t direct_shards = 0;
};

/// Publishes chat events (docs/PROTOCOL.md, §1). From the acknowledgement on
/// Fantail answers for an event; until then the producer repeats it.
///
/// Any thread may send. Handlers run on the loop's thread and must not block.
class producer {
public:
  /// How a sent event ended: stored at `pos` of its shard, or refused for good.
  struct outcome {
    std::optional<position> pos;
    /// An event with this id was stored before, at `pos`.
    bool was_duplicate = false;
    std::string problem;
  };

  using handler = std::function<void(const outcome&)>;

  enum class send_result : uint8_t {
    accepted,
    /// Too many events are under way: try again when one is settled.
    full,
    /// The channel or the id is no token, or the body exceeds
    /// limits::payload_bytes_max.
    illegal,
  };

  producer(nats::event_loop& loop, nats::connection& via,
           producer_options options = {});

  /// Sends one event; `id` becomes its `Nats-Msg-Id`.
  send_result send(std::string_view channel, std::string_view id,
                   std::string body, handler on_settled,
                   event_class cls = event_class::critical);

  size_t in_flight() const { return publisher_.in_flight(); }
  uint64_t repeats() const { return publisher_.repeats(); }

private:
  confirmed_publisher publisher_;
  uint16_t direct_shards_;
};

} // namespace fantail::client
