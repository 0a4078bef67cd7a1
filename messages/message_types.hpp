// SPDX-License-Identifier: MIT
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>

/// The messages of messages/protocol.hpp by name. Actors of one node share them
/// by reference; none of them is ever serialized. Nodes talk in the envelopes
/// of design §10 instead.
#define FANTAIL_MESSAGE(name)                                                  \
  namespace fantail {                                                          \
  struct name;                                                                 \
  }                                                                            \
  CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::name)

FANTAIL_MESSAGE(tick)
FANTAIL_MESSAGE(inspect_node)
FANTAIL_MESSAGE(inspect_routes)
FANTAIL_MESSAGE(start_pulling)
FANTAIL_MESSAGE(log_opened)
FANTAIL_MESSAGE(log_failed)
FANTAIL_MESSAGE(log_pulled)
FANTAIL_MESSAGE(log_request_ended)
FANTAIL_MESSAGE(link_changed)
FANTAIL_MESSAGE(pulled)
FANTAIL_MESSAGE(log_found)
FANTAIL_MESSAGE(positions_lost)
FANTAIL_MESSAGE(log_restarted)
FANTAIL_MESSAGE(log_stalled)
FANTAIL_MESSAGE(pull_settled)
FANTAIL_MESSAGE(apply_delta)
FANTAIL_MESSAGE(delta_progressed)
FANTAIL_MESSAGE(log_replayed)
FANTAIL_MESSAGE(table_exact)
FANTAIL_MESSAGE(instances_replayed)
FANTAIL_MESSAGE(ask_log_growth)
FANTAIL_MESSAGE(log_growth)
FANTAIL_MESSAGE(take_snapshot)
FANTAIL_MESSAGE(log_trimmed)
FANTAIL_MESSAGE(prepare_buffers)
FANTAIL_MESSAGE(snapshot_taken)
FANTAIL_MESSAGE(part_stored)
FANTAIL_MESSAGE(instances_seen)
FANTAIL_MESSAGE(members_found)
FANTAIL_MESSAGE(member_read)
FANTAIL_MESSAGE(member_appended)
FANTAIL_MESSAGE(epoch_claimed)
FANTAIL_MESSAGE(deliver)
FANTAIL_MESSAGE(delivered)
FANTAIL_MESSAGE(shard_begun)
FANTAIL_MESSAGE(marker_returned)
FANTAIL_MESSAGE(link_reopened)
FANTAIL_MESSAGE(flush_outboxes)
FANTAIL_MESSAGE(admit_instance)
FANTAIL_MESSAGE(instance_admitted)
FANTAIL_MESSAGE(instance_spoke)
FANTAIL_MESSAGE(acknowledge_positions)
FANTAIL_MESSAGE(serve_range)
FANTAIL_MESSAGE(range_read)
FANTAIL_MESSAGE(range_selected)
FANTAIL_MESSAGE(select_range)

#undef FANTAIL_MESSAGE
