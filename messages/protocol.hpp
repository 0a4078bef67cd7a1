// SPDX-License-Identifier: MIT
#pragma once

#include "messages/delivery.hpp"
#include "messages/instances.hpp"
#include "messages/logs.hpp"
#include "messages/members.hpp"
#include "messages/node.hpp"
#include "messages/operators.hpp"
#include "messages/presence.hpp"
#include "messages/questions.hpp"
#include "messages/snapshots.hpp"
#include "messages/supervision.hpp"

#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>

/// The whole protocol between the actors of a node: which actor understands
/// which message. The messages stand in the files above, by subject; they carry
/// shared, immutable payloads; commands are imperative, facts are in the past
/// tense. An actor header includes this file and never another actor's.
///
///     log readers ──► puller ──► routing_shard ──► egress ──► NATS
///                     puller ──► presence_shard ─deltas─► routing_shard
///                     puller ──► registrar ──► outbox ◄──► routing_shard
///     presence_shard, routing_shard ◄──► snapshot_keeper
///     presence_desk ◄──► routing_shard, presence_shard
///     ticker ──► everybody
namespace fantail {

/// What every actor of a node understands.
using component_actor
    = caf::typed_actor<caf::reacts_to<tick>, caf::reacts_to<inspect_node>>;

/// Keeps its children running.
using supervisor_actor = component_actor::extend<caf::reacts_to<start_child>>;

/// Owns what a puller reads.
using pull_sink_actor
    = caf::typed_actor<caf::reacts_to<pulled>, caf::reacts_to<log_found>,
                       caf::reacts_to<positions_lost>,
                       caf::reacts_to<log_restarted>,
                       caf::reacts_to<log_stalled>>;

/// Reads one log for its sink, with credit.
using puller_actor = component_actor::extend<
    caf::reacts_to<start_pulling>, caf::reacts_to<pull_settled>,
    // INTERNAL: from its log reader.
    caf::reacts_to<log_opened>, caf::reacts_to<log_failed>,
    caf::reacts_to<log_pulled>, caf::reacts_to<log_request_ended>,
    caf::reacts_to<link_changed>>;

/// Serves one instance: its acknowledgements and ranges.
using outbox_actor = component_actor::extend<
    // Another life or format of the instance.
    caf::reacts_to<instance_admitted>, caf::reacts_to<serve_range>,
    // INTERNAL: answers to its own questions.
    caf::reacts_to<range_read>, caf::reacts_to<range_selected>>;

/// Answers questions about presence, and tells those who watch it.
using presence_desk_actor = component_actor::extend<
    // Presence is exact from now on.
    caf::reacts_to<presence_exact>, caf::reacts_to<presence_asked>,
    caf::reacts_to<user_presence_changed>,
    caf::reacts_to<channel_presence_changed>,
    // INTERNAL: answers to its own questions.
    caf::reacts_to<channel_users_found>, caf::reacts_to<users_named>,
    caf::reacts_to<user_found>>;

/// Which events of a pull go to one instance.
struct select_range {
  uint64_t request;
  instance_index instance;
  pull_ptr events;
  outbox_actor reply_to;
};

/// Owns one shard: its table, its position, and what is settled.
using routing_shard_actor
    = component_actor::extend_with<pull_sink_actor>::extend<
        caf::reacts_to<apply_delta>, caf::reacts_to<log_replayed>,
        caf::reacts_to<delivered>, caf::reacts_to<select_range>,
        caf::reacts_to<ranges_needed>, caf::reacts_to<epoch_claimed>,
        caf::reacts_to<take_snapshot>, caf::reacts_to<find_channel_users>,
        caf::reacts_to<watch_channel>, caf::reacts_to<inspect_routes>,
        caf::reacts_to<inspect_channels>, caf::reacts_to<explain_route>,
        // INTERNAL: from itself.
        caf::reacts_to<search_on>>;

/// Owns one slice of the users.
using presence_shard_actor
    = component_actor::extend_with<pull_sink_actor>::extend<
        caf::reacts_to<delta_progressed>, caf::reacts_to<instances_seen>,
        caf::reacts_to<ask_log_growth>, caf::reacts_to<take_snapshot>,
        caf::reacts_to<log_trimmed>, caf::reacts_to<find_user>,
        caf::reacts_to<name_users>, caf::reacts_to<watch_user>,
        caf::reacts_to<name_changes>, caf::reacts_to<instances_left>,
        caf::reacts_to<memory_state>, caf::reacts_to<explain_user>,
        // Whether instances can be heard.
        caf::reacts_to<link_changed>,
        // INTERNAL: from its members store.
        caf::reacts_to<members_found>, caf::reacts_to<member_read>,
        caf::reacts_to<member_appended>>;

/// Has the shards' states written down in turn, and trims what is behind.
using snapshot_keeper_actor = component_actor::extend<
    caf::reacts_to<log_growth>, caf::reacts_to<snapshot_taken>,
    caf::reacts_to<part_stored>, caf::reacts_to<prepare_buffers>>;

/// Where egresses tell what became of an instance's admission.
using registrar_actor = component_actor::extend_with<pull_sink_actor>::extend<
    caf::reacts_to<instance_spoke>, caf::reacts_to<instance_admitted>,
    // INTERNAL: the link over which instances speak.
    caf::reacts_to<link_changed>>;

/// Owns one connection to the instances and their outboxes.
using egress_actor = component_actor::extend<
    caf::reacts_to<deliver>, caf::reacts_to<shard_begun>,
    caf::reacts_to<admit_instance>, caf::reacts_to<acknowledge_positions>,
    caf::reacts_to<instance_died>, caf::reacts_to<instance_unheard>,
    // INTERNAL: from its link, and from itself.
    caf::reacts_to<marker_returned>, caf::reacts_to<link_reopened>,
    caf::reacts_to<link_changed>, caf::reacts_to<flush_outboxes>>;

/// Republishes a user's own stream into the streams of the shards.
using partitioner_actor = component_actor::extend_with<pull_sink_actor>::extend<
    // INTERNAL: from its writer.
    caf::reacts_to<records_answered>, caf::reacts_to<shard_end_found>,
    caf::reacts_to<link_changed>>;

/// Starts the routing of each shard once its table is exact.
using node_guard_actor
    = component_actor::extend<caf::reacts_to<table_exact>,
                              caf::reacts_to<instances_replayed>>;

} // namespace fantail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::select_range)
