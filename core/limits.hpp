// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every bound of Fantail, in one place, with its unit in its name and the
/// reason above it. A value a user may change is the default of a key in
/// caf-application.conf; the others are contracts and stay constant.
namespace fantail::limits {

using namespace std::chrono_literals;

// -- names --------------------------------------------------------------------

/// NATS has no escape for subjects: a token with a space or a line break
/// would inject protocol. 128 keeps the longest subject far below the
/// server's control line of 4 KiB.
inline constexpr size_t token_bytes_max = 128;

/// A reply subject is an inbox with a few tokens; anything longer is an error
/// of the sender.
inline constexpr size_t reply_subject_bytes_max = 256;

// -- memory -------------------------------------------------------------------

/// Resident bytes at which a node takes no new sessions any more: what the
/// requirements call critical. At target scale a node has 1 GB.
inline constexpr uint64_t memory_limit_default = 4ull << 30;
inline constexpr uint64_t memory_limit_min = 64ull << 20;

/// Refusals whose `expire` is not in the log yet, per presence shard; with
/// more, the log is not read on.
inline constexpr size_t refusals_pending_max = 10'000;

// -- cluster shape ------------------------------------------------------------

/// A user's shards are remembered in a 64-bit mask (core/presence).
inline constexpr uint16_t shards_max = 64;
inline constexpr uint16_t shards_default = 8;
inline constexpr uint16_t presence_shards_default = 8;

/// A column of the table costs two bytes per dense row, so the number of
/// columns is bounded; the stress scale of the requirements is 500.
inline constexpr uint16_t instances_max = 4096;

/// A routing shard numbers the deltas of each presence shard; the bound keeps
/// a wrong id from costing memory.
inline constexpr uint16_t presence_shards_max = 64;
static_assert(presence_shards_default <= presence_shards_max);

/// Departures a routing shard remembers for events it has not routed yet. A
/// full instance leaves about 60,000 rows of a shard (500,000 channels, 8
/// shards); ten such within the lag of the router are 24 MB.
inline constexpr size_t departures_max = 1'000'000;

/// Those of them that are kept for ranges alone: instances that are behind may
/// ask again for events that were routed before a user left. One minute of
/// 1,000 changes/s that vacate a row each, in 3 MB.
inline constexpr size_t departures_for_ranges_max = 60'000;

// -- chat events --------------------------------------------------------------

/// The server's default `max_payload`; the embedded server uses the same.
inline constexpr size_t payload_bytes_max = 1024 * 1024;

/// Body and headers of one chat event: what is left of a NATS message for the
/// largest frame around it. A larger one is a dead letter.
inline constexpr size_t event_bytes_max = payload_bytes_max - 4 * 1024;

/// A frame must fit one NATS message with room for the largest single event.
inline constexpr size_t frame_bytes_default = 64 * 1024;
inline constexpr size_t frame_bytes_max = 512 * 1024;

/// A range answer is one message; half of the server's limit leaves room for
/// headers; a single larger event travels alone.
inline constexpr size_t range_reply_bytes_max = 512 * 1024;

/// Positions one range request may span before the answer is cut short.
inline constexpr uint64_t range_positions_max = 20'000;

static_assert(frame_bytes_default <= frame_bytes_max);
static_assert(frame_bytes_max < payload_bytes_max,
              "a frame has to fit into one NATS message");
static_assert(range_reply_bytes_max < payload_bytes_max,
              "a range answer has to fit into one NATS message");

// -- pulls --------------------------------------------------------------------

/// Events asked for in one pull request, and requests kept under way, so that
/// the round trip of one hides behind the other.
inline constexpr uint32_t pull_events_default = 500;
inline constexpr uint32_t pull_events_max = 10'000;
inline constexpr uint32_t pull_requests_outstanding = 2;

/// A pull request ends by itself after this time. Meanwhile the server shows
/// every second that it is still there, so a reader that hears nothing for
/// several heartbeats makes its consumer anew.
inline constexpr auto pull_expires = 5s;
inline constexpr auto pull_heartbeat = 1s;
inline constexpr auto pull_watchdog = 4s;
static_assert(pull_expires > 2 * pull_heartbeat,
              "the server refuses a longer heartbeat");
static_assert(pull_watchdog > 3 * pull_heartbeat,
              "one late heartbeat must not look like a dead consumer");

/// Records a shard may have republished and not acknowledged, and their bytes:
/// what hides a round trip at full speed.
inline constexpr size_t republish_records_max = 2'000;
inline constexpr size_t republish_bytes_max = 2 * 1024 * 1024;

/// Bytes of chat events a shard may hold unsettled. A request not issued is
/// the backpressure. Eight shards together fit the outbox and the window of
/// one instance, so that no backlog of the node's own makes it lag; a drain
/// at 300,000 events/s has 5 MiB under way.
inline constexpr size_t unsettled_bytes_default = 4 * 1024 * 1024;

// -- presence -----------------------------------------------------------------

/// 10,000 channel names of 14 bytes are 140 KB of JSON; three times that is
/// generous and still below the server's payload limit.
inline constexpr size_t presence_body_bytes_max = 512 * 1024;
inline constexpr size_t channels_per_change_max = 20'000;
inline constexpr size_t channels_per_user_max = 20'000;
inline constexpr size_t sessions_per_user_max = 64;
inline constexpr auto presence_ttl_default = 120s;

/// Heartbeats that a `frame` instance may miss before it counts as dead. Less
/// than a second is never a death: a collector's pause takes as long.
inline constexpr int heartbeats_missed_max = 3;
inline constexpr auto instance_silence_min = 1s;
static_assert(presence_body_bytes_max < payload_bytes_max);

/// Memberships of offline users whose rows stay in the tables, over all
/// presence shards of a node: as many as the target scale has in all, 360 MB.
inline constexpr uint64_t cache_memberships_default = 100'000'000;

/// A record of the members store is one NATS message. A list of 20,000 names
/// of 14 bytes takes 100 KB; one that does not fit stays in memory.
inline constexpr size_t member_record_bytes_max = payload_bytes_max - 4 * 1024;

/// Front-coded names above this are compressed: it halves them, and costs as
/// much time again as sorting them.
inline constexpr size_t member_plain_bytes_max = 16 * 1024;

/// Changes of channel lists a node keeps in memory, over its presence shards,
/// before it writes the lists: so many changes of one user become one record.
inline constexpr size_t dirty_bytes_default = size_t{64} * 1024 * 1024;

/// Records on their way to the members store, and reads in the background on
/// their way from it: what one presence shard asks of the server at a time.
inline constexpr size_t member_appends_bytes_max = 1024 * 1024;
inline constexpr size_t member_reads_max = 64;

/// The members store of one presence shard is at most twice its live records
/// and this; its head is purged in steps of a few megabytes, because a purge
/// that ends within a block of the server's file rewrites that block.
inline constexpr uint64_t member_slack_bytes = 8 * 1024 * 1024;
inline constexpr uint64_t member_purge_bytes = 4 * 1024 * 1024;

/// Records moved from the head of the members store to its end, per second
/// and presence shard, besides one for each byte written: 1,000 lists of 6 KB
/// per second over 8 shards need a twentieth of it.
inline constexpr size_t member_moved_bytes_per_second = 4 * 1024 * 1024;

/// Evictions one presence shard has under way, and when one is tried again.
inline constexpr size_t evictions_max = 256;
inline constexpr auto eviction_retry = 5s;

/// Deltas a presence shard may have unapplied at the routing shards before it
/// stops reading its log.
inline constexpr uint64_t deltas_unapplied_max = 256;

/// User changes collected into one delta.
inline constexpr size_t delta_changes_max = 512;

// -- snapshots
// ------------------------------------------------------------------

/// One message of a snapshot: half of the server's limit, as for ranges.
inline constexpr size_t snapshot_part_bytes = 512 * 1024;

/// Snapshots are written in the background: a few parts are under way, and a
/// rate that leaves the disk and the second core to others. 400 MB take 6 s.
inline constexpr size_t snapshot_bytes_under_way = 2 * 1024 * 1024;
inline constexpr size_t snapshot_bytes_per_second = 64 * 1024 * 1024;
static_assert(snapshot_part_bytes < payload_bytes_max);

/// A start replays at most about so much of each presence log. 100,000 short
/// records take a second, 32 MiB of channel lists as well; rewriting 360 MB
/// of tables for 256 MiB of log (8 shards) less than doubles what is written.
inline constexpr uint64_t snapshot_records_default = 100'000;
inline constexpr uint64_t snapshot_bytes_default = 32 * 1024 * 1024;
inline constexpr auto snapshot_interval_default = 10min;

// -- questions about presence -------------------------------------------------

/// Users of one answer: 1,000 of them with names of 128 bytes and an instance
/// each are 300 KiB, which fits a message.
inline constexpr uint32_t query_users_default = 100;
inline constexpr uint32_t query_users_max = 1'000;

/// Questions about channels that wait for their turn. One takes up to 100 ms
/// of a shard, so whoever came behind these would wait for seconds.
inline constexpr size_t queries_waiting_max = 32;

/// Questions of any kind; one costs about 200 bytes while it waits.
inline constexpr size_t questions_waiting_max = 1'024;

/// An answer that takes longer is of no use to anybody.
inline constexpr auto query_timeout = 2s;

/// Users looked at before a routing shard turns to other work: about a tenth
/// of a millisecond at 1,000 channels per user.
inline constexpr size_t query_slice_users = 256;

/// A watch costs about 300 bytes.
inline constexpr size_t watches_max = 10'000;

/// Channels of one shard that can be watched: every change of presence there
/// looks at all of them.
inline constexpr size_t watched_channels_max = 256;

/// Users of one message about a channel; and how long changes are collected.
inline constexpr size_t watch_users_max = 100;
inline constexpr auto watch_interval_default = 200ms;
inline constexpr auto watch_lease_default = 60s;

// -- outboxes -----------------------------------------------------------------

/// Outboxes only refer to what is unsettled: all of it may be for one
/// instance, and is no reason to drop anything.
inline constexpr size_t outbox_bytes_default = 32 * 1024 * 1024;
inline constexpr size_t outbox_events_default = 150'000;

/// Unacknowledged bytes at which a `frame` instance becomes lagging.
inline constexpr size_t window_bytes_default = 32 * 1024 * 1024;

/// Deliveries published without a marker behind them while one is under way. A
/// fraction of what a shard may have unsettled, so that pulls never wait.
inline constexpr size_t unmarked_bytes_max = 1024 * 1024;

/// A lagging instance goes live again when it is this close to the head.
inline constexpr uint64_t resume_positions = 5'000;

// -- JSON ---------------------------------------------------------------------

/// No message of the protocol nests deeper than three.
inline constexpr size_t json_depth_max = 16;

// -- operators ----------------------------------------------------------------

/// Messages held for an actor that an operator suspended; with more it is
/// resumed. Those with credit stop long before.
inline constexpr size_t suspended_messages_max = 100'000;

/// Viewers of the event stream and of traces.
inline constexpr size_t stream_viewers_max = 16;

/// How long an actor may take to answer an operator.
inline constexpr auto operator_timeout = 2s;

/// How long `hang` may last.
inline constexpr auto hang_time_max = 60s;
inline constexpr auto hang_time_default = 2s;

} // namespace fantail::limits
