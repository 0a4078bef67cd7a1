// SPDX-License-Identifier: MIT
#pragma once

#include "core/snapshot/snapshot_rounds.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// Between the snapshot keeper and the shards that write their state down.
namespace fantail {

/// Asks a presence shard how far it has read.
struct ask_log_growth {};

/// Asks a shard for its state, to be written down. The buffers are memory that
/// was touched before: copying a table into fresh memory takes five times as
/// long.
struct take_snapshot {
  std::shared_ptr<std::vector<std::string>> buffers;
};

/// INTERNAL: sent by a snapshot_keeper to itself, to touch memory bit by bit.
struct prepare_buffers {};

/// Records of the log up to and with `up_to` are gone; they are in snapshots.
struct log_trimmed {
  position up_to;
};

/// The state of a shard, copied in one go; each chunk is a payload behind
/// snapshot_part_head bytes. Null if it cannot be taken at the moment.
struct snapshot_image {
  snapshot_descriptor about;
  std::vector<std::string> chunks;
};
struct snapshot_taken {
  snapshot_source of;
  std::shared_ptr<snapshot_image> image;
};

/// INTERNAL: a part of the snapshot `id` is stored; 0: it is not.
struct part_stored {
  uint64_t id;
  uint64_t sequence;
};

} // namespace fantail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::ask_log_growth)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::take_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::snapshot_taken)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::prepare_buffers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::log_trimmed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::part_stored)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::log_growth)
