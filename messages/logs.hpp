// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports.hpp"
#include "core/pull.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Between log readers, pullers and who owns what is read; and what is
/// republished.
namespace fantail {

/// Read the log from behind `from`, a position of the log's life `created_at`
/// (empty: of whatever life is found).
struct start_pulling {
  position from;
  std::string created_at;
};

// Facts from a log reader, told apart by attempt; see log_reader_port.
struct log_opened {
  uint64_t attempt;
  log_state state;
};
struct log_failed {
  uint64_t attempt;
  log_failure failure;
};
struct log_pulled {
  uint64_t attempt;
  pull_ptr events;
};
struct log_request_ended {
  uint64_t attempt;
  request_end what;
};
struct link_changed {
  bool is_up;
};

/// Events for the owner of the log, in order and without gaps, but for
/// positions that the stream does not have any more.
struct pulled {
  pull_ptr events;
};

/// The log was opened: its life, and where it ends.
struct log_found {
  log_state state;
};

/// Positions in (from, to] are gone from the stream: a loss.
struct positions_lost {
  position from;
  position to;
};

/// The stream begins a new life; positions count from 1 again.
struct log_restarted {
  log_state state;
};

/// The puller holds back, or is cut off: the end of the log is not known.
struct log_stalled {};

/// `bytes` of what was pulled are done with: credit for the puller.
struct pull_settled {
  size_t bytes;
};

/// What became of records that were published into shards.
struct records_answered {
  std::vector<shard_writer_port::answer> answers;
};

/// Where a shard's stream ends, if the server told.
struct shard_end_found {
  shard_id shard;
  uint64_t attempt;
  std::optional<shard_writer_port::stream_end> end;
};

} // namespace fantail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::start_pulling)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::log_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::log_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::log_pulled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::log_request_ended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::link_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::pulled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::log_found)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::positions_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::log_restarted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::log_stalled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::pull_settled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::records_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::shard_end_found)
