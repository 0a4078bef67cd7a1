// SPDX-License-Identifier: MIT
#pragma once

#include "core/control/control_reject.hpp"
#include "core/control/decoded.hpp"
#include "core/control/member_reader.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What instances and Fantail say to each other besides chat events:
/// registration (docs/PROTOCOL.md §3), acknowledgements and ranges (§6). The
/// instance itself is the last token of the subject, not part of a body.
namespace fantail {

/// Epoch and position of a shard, where an instance starts.
using shard_start = member_reader::shard_start;

/// Where a life begins.
enum class start_from : uint8_t {
  /// At the ends of the shards.
  head,
  /// Where the life before it had acknowledged, as far as the node knows.
  acknowledged,
};

constexpr std::string_view to_string(start_from x) {
  return x == start_from::acknowledged ? "acknowledged" : "head";
}

/// One life of an instance begins.
struct register_instance {
  delivery_format format = delivery_format::single;
  std::string incarnation;
  /// Empty if no answer is wanted.
  std::string reply_to;
  start_from start = start_from::head;
  /// What the instance kept of its life before; goes before `start`.
  std::vector<shard_start> positions = {};

  bool operator==(const register_instance&) const = default;
};

/// That life ended on purpose.
struct deregister_instance {
  std::string incarnation;

  bool operator==(const deregister_instance&) const = default;
};

using registration = std::variant<register_instance, deregister_instance>;

std::string encode(const registration& x);
decoded<registration> decode_registration(std::string_view body);

/// What an instance has to know to take part.
struct instance_registered {
  std::string instance;
  std::string incarnation;
  uint16_t shards = 0;
  uint16_t presence_shards = 0;
  uint32_t heartbeat_ms = 0;
  uint32_t frame_bytes_max = 0;
  /// Life of a session that nothing renews; 0 from a node that does not say.
  uint32_t ttl_ms = 0;
  /// In the order of the shards.
  std::vector<shard_start> positions;

  bool operator==(const instance_registered&) const = default;
};

/// The refusal of a registration.
struct registration_rejected {
  std::string instance;
  control_reject reason = control_reject::malformed;
  std::string detail;

  bool operator==(const registration_rejected&) const = default;
};

using registration_reply
    = std::variant<instance_registered, registration_rejected>;

std::string encode(const registration_reply& x);
decoded<registration_reply> decode_registration_reply(std::string_view body);

/// A sign of life. Any message counts as one, also a body that is refused.
struct instance_heartbeat {
  /// Empty if the body did not say.
  std::string incarnation;

  bool operator==(const instance_heartbeat&) const = default;
};

std::string encode(const instance_heartbeat& x);
decoded<instance_heartbeat> decode_heartbeat(std::string_view body);

/// The answer to a heartbeat that asked for one.
struct heartbeat_reply {
  /// `none` = the instance is known and alive.
  control_reject refusal = control_reject::none;
  /// How often this node has ended the sessions of the instance because it was
  /// silent for too long.
  uint32_t lapses = 0;

  bool operator==(const heartbeat_reply&) const = default;
};

std::string encode(const heartbeat_reply& x);
decoded<heartbeat_reply> decode_heartbeat_reply(std::string_view body);

/// How far a `frame` instance has come.
struct instance_ack {
  std::string incarnation;
  /// In the order of the shards.
  std::vector<std::pair<shard_id, position>> positions;

  bool operator==(const instance_ack&) const = default;
};

std::string encode(const instance_ack& x);
decoded<instance_ack> decode_ack(std::string_view body);

/// A `frame` instance wants the events in (from, to].
struct range_request {
  std::string incarnation;
  shard_id shard;
  position from;
  position to;

  bool operator==(const range_request&) const = default;
};

std::string encode(const range_request& x);

/// Whatever is wrong with a body, the protocol has one word for it here,
/// `malformed`, besides `unknown_shard`.
decoded<range_request> decode_range_request(std::string_view body);

/// The refusal of a range; an accepted one is answered with a frame.
struct range_rejected {
  control_reject reason = control_reject::malformed;
  /// Of `lost`: where the stream begins now.
  position first;

  bool operator==(const range_rejected&) const = default;
};

std::string encode(const range_rejected& x);
decoded<range_rejected> decode_range_rejected(std::string_view body);

} // namespace fantail
