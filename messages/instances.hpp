// SPDX-License-Identifier: MIT
#pragma once

#include "core/control/instance_codec.hpp"
#include "core/delivery/outbox.hpp"
#include "core/ports.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// About instances: their registration, their signs of life, their ranges.
namespace fantail {

/// A sign of life of instances, collected.
struct instances_seen {
  std::vector<instance_index> instances;
};

/// These instances left on purpose: their sessions end now.
struct instances_left {
  std::vector<instance_index> instances;
};

/// An instance's format or life is known; answered with `instance_admitted`
/// if somebody waits.
struct admit_instance {
  instance_index index;
  instance_profile profile;
  std::string reply_to;
  life_start start;
};

/// The instance is admitted and starts behind these positions.
struct instance_admitted {
  instance_index index;
  instance_profile profile;
  std::string reply_to;
  std::vector<shard_position> heads;
};

/// Something came from an instance over core NATS.
struct instance_spoke {
  enum class kind { heartbeat, ack, range };
  kind what;
  std::string instance;
  std::string body;
  std::string reply_to;
};

struct acknowledge_positions {
  instance_index index;
  std::string incarnation;
  std::vector<std::pair<shard_id, position>> positions;
};

/// An instance asked for a range.
struct serve_range {
  range_request what;
  std::string reply_to;
};

/// The stretch was read again.
struct range_read {
  uint64_t request;
  range_reader_port::result what;
};

/// Which events of `events` go to `instance`? Answered with range_selected.
struct range_selected {
  uint64_t request;
  fantail::epoch owner;
  position routed_to;
  std::vector<uint32_t> events;
};

} // namespace fantail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::instances_seen)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::admit_instance)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::instance_admitted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::instance_spoke)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::acknowledge_positions)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::serve_range)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::range_read)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::range_selected)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::instances_left)
