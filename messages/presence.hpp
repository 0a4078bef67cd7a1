// SPDX-License-Identifier: MIT
#pragma once

#include "core/presence/delta.hpp"
#include "core/pull.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>

/// From presence shards to routing shards, and what is known when a node
/// starts.
namespace fantail {

struct apply_delta {
  presence_delta_ptr delta;
};

/// What a routing shard has done with the deltas of one presence shard. Both
/// numbers are cumulative.
struct delta_progressed {
  shard_id shard;
  uint64_t applied;
  uint64_t drained;
  position at;
};

/// The presence shard has read its log up to where it ended when it was
/// opened, and has told the receiver all of it.
struct log_replayed {
  presence_shard_id from;
};

/// Everybody told the routing shard everything: it may route.
struct table_exact {
  shard_id shard;
};

/// All instances registered before the start are known.
struct instances_replayed {};

/// All tables are exact: questions about presence have true answers.
struct presence_exact {};

} // namespace fantail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::apply_delta)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::delta_progressed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::log_replayed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::table_exact)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::instances_replayed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::presence_exact)
