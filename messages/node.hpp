// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <memory>

/// What all actors of a node are told.
namespace fantail {

class inspection;
class route_inspection;

/// The only clock actors have; sent by the ticker, every 20 ms to an egress and
/// every 100 ms to others.
struct tick {
  time_point now;
};

/// Asks for a contribution to a snapshot of the node (messages/inspection.hpp).
struct inspect_node {
  std::shared_ptr<inspection> into;
};

/// Asks a routing shard where events of channels would go
/// (messages/inspection.hpp).
struct inspect_routes {
  std::shared_ptr<route_inspection> into;
};

/// Whether the node is at its memory limit: new presence is refused then.
struct memory_state {
  bool is_short;
};

} // namespace fantail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::inspect_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::memory_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::inspect_routes)
