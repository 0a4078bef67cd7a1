// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/control/instance_codec.hpp"
#include "core/delivery/outbox_group.hpp"
#include "core/ports.hpp"
#include "core/presence/delta.hpp"
#include "core/pull.hpp"
#include "core/snapshot/snapshot_rounds.hpp"
#include "messages/message_types.hpp"

#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The whole protocol between the actors of a node: every message, then every
/// typed interface. Messages carry shared, immutable payloads; commands are
/// imperative, facts are in the past tense. An actor header includes this file
/// and never another actor's.
///
///     log readers ──► puller ──► routing_shard ──► egress ──► NATS
///                     puller ──► presence_shard ─deltas─► routing_shard
///                     puller ──► registrar ──► outbox ◄──► routing_shard
///     presence_shard, routing_shard ◄──► snapshot_keeper
///     ticker ──► everybody
namespace fantail {

class inspection;
class route_inspection;

// -- time ---------------------------------------------------------------------

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

// -- reading logs

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

// -- presence -> routing

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

/// A sign of life of instances, collected.
struct instances_seen {
  std::vector<instance_index> instances;
};

// -- snapshots

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

// -- members store

// INTERNAL: what the members store answered.
struct members_found {
  member_batch what;
};
struct member_read {
  uint64_t sequence;
  member_read_result what;
  std::string record;
};
struct member_appended {
  uint64_t ticket;
  /// 0 if the outcome is unknown.
  uint64_t sequence;
};

// -- routing -> egress

struct deliver {
  std::shared_ptr<delivery> what;
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

/// Sent by an egress to itself, to write what came in meanwhile at once.
struct flush_outboxes {};

// -- instances

/// An instance's format or life is known; answered with `instance_admitted`
/// if somebody waits.
struct admit_instance {
  instance_index index;
  instance_profile profile;
  std::string reply_to;
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

// -- interfaces

/// What every actor of a node understands.
using component_actor
    = caf::typed_actor<caf::reacts_to<tick>, caf::reacts_to<inspect_node>>;

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
        caf::reacts_to<inspect_routes>, caf::reacts_to<epoch_claimed>,
        caf::reacts_to<take_snapshot>>;

/// Owns one slice of the users.
using presence_shard_actor
    = component_actor::extend_with<pull_sink_actor>::extend<
        caf::reacts_to<delta_progressed>, caf::reacts_to<instances_seen>,
        caf::reacts_to<ask_log_growth>, caf::reacts_to<take_snapshot>,
        caf::reacts_to<log_trimmed>,
        // INTERNAL: from its members store.
        caf::reacts_to<members_found>, caf::reacts_to<member_read>,
        caf::reacts_to<member_appended>>;

/// Has the shards' states written down in turn, and trims what is behind.
using snapshot_keeper_actor = component_actor::extend<
    caf::reacts_to<log_growth>, caf::reacts_to<snapshot_taken>,
    caf::reacts_to<part_stored>, caf::reacts_to<prepare_buffers>>;

/// Where egresses tell what became of an instance's admission.
using registrar_actor = component_actor::extend_with<pull_sink_actor>::extend<
    caf::reacts_to<instance_spoke>, caf::reacts_to<instance_admitted>>;

/// Owns one connection to the instances and their outboxes.
using egress_actor = component_actor::extend<
    caf::reacts_to<deliver>, caf::reacts_to<shard_begun>,
    caf::reacts_to<admit_instance>, caf::reacts_to<acknowledge_positions>,
    // INTERNAL: from its link, and from itself.
    caf::reacts_to<marker_returned>, caf::reacts_to<link_reopened>,
    caf::reacts_to<link_changed>, caf::reacts_to<flush_outboxes>>;

/// Starts the routing of each shard once its table is exact.
using node_guard_actor
    = component_actor::extend<caf::reacts_to<table_exact>,
                              caf::reacts_to<instances_replayed>>;

} // namespace fantail
