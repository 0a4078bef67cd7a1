// SPDX-License-Identifier: MIT
#pragma once

#include "core/delivery/outbox_group.hpp"
#include "core/ports.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <memory>

/// From routing shards to egresses, and back.
namespace fantail {

struct deliver {
  std::shared_ptr<delivery> what;
};

/// Egress `group` may be asked for events behind `at` again, once per second.
struct ranges_needed {
  uint16_t group;
  position at;
};

/// INTERNAL: the shard is owned again, after its stream began a new life.
struct epoch_claimed {
  fantail::epoch owner;
  log_state state;
};

/// The server has everything of pull `number` that went through `group`.
struct delivered {
  fantail::epoch owner;
  uint64_t number;
  uint16_t group;
};

/// A shard begins, or begins anew, behind `head`.
struct shard_begun {
  shard_id shard;
  shard_position head;
};

/// The marker came back from the server.
struct marker_returned {
  uint64_t life;
  uint64_t number;
};

/// The link was re-established; what was unconfirmed may be sent again.
struct link_reopened {
  uint64_t life;
};

/// The server said that nobody listens to an instance.
struct instance_unheard {
  instance_index index;
};

/// A `frame` instance has been silent for so long that it counts as dead.
struct instance_died {
  instance_index index;
};

/// Sent by an egress to itself, to write what came in meanwhile at once.
struct flush_outboxes {};

} // namespace fantail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::epoch_claimed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::deliver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::delivered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::shard_begun)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::marker_returned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::link_reopened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::flush_outboxes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::ranges_needed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::instance_unheard)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::instance_died)
