// SPDX-License-Identifier: MIT
#pragma once

#include "core/telemetry.hpp"

namespace fantail {

/// A counter that all parts of one kind have, as Prometheus sees their sum.
template <class Part>
struct summed_metric {
  bool is_counter;
  const char* name;
  const char* help;
  telemetry::counter Part::*member;
};

/// A counter that a node has once.
struct single_metric {
  bool is_counter;
  const char* name;
  const char* help;
  telemetry::counter telemetry::node::*member;
};

inline constexpr single_metric node_metrics[] = {
    {false, "fanout_memory_limit_reached",
     "1 while new sessions are refused because the node is at "
     "node.memory-limit.",
     &telemetry::node::memory_short},
    {false, "fanout_actors_stuck",
     "Actors that have handled one message for more than a second.",
     &telemetry::node::actors_stuck},
    {true, "fanout_actors_stuck_total", "How often an actor was found stuck.",
     &telemetry::node::stuck_total},
};

/// Of the routing shards.
inline constexpr summed_metric<telemetry::shard> table_metrics[] = {
    {false, "fanout_routing_table_channels", "Channels in the routing tables.",
     &telemetry::shard::table_channels},
    {false, "fanout_routing_table_users",
     "Online users in the routing tables; one with channels in several shards "
     "counts in each of them.",
     &telemetry::shard::table_users},
    {false, "fanout_routing_table_bytes", "Memory of the routing tables.",
     &telemetry::shard::table_bytes},
};

/// Of the presence shards: the cache of offline users' rows, and the members
/// stores behind it; what was refused.
inline constexpr summed_metric<telemetry::presence> presence_metrics[] = {
    {false, "fanout_membership_cache_users",
     "Offline users whose rows the tables keep.",
     &telemetry::presence::cached_users},
    {false, "fanout_membership_cache_memberships", "Channels of these users.",
     &telemetry::presence::cached_memberships},
    {true, "fanout_membership_cache_hits_total",
     "Users who came online and whose rows were there.",
     &telemetry::presence::cache_hits},
    {true, "fanout_membership_cache_misses_total",
     "Users whose rows were read from the members store.",
     &telemetry::presence::cache_misses},
    {true, "fanout_membership_cache_evictions_total",
     "Users whose rows left the tables.",
     &telemetry::presence::cache_evictions},
    {false, "fanout_members_store_bytes", "Records in the members stores.",
     &telemetry::presence::member_stream_bytes},
    {false, "fanout_members_store_live_bytes",
     "Of these, those that are some user's newest.",
     &telemetry::presence::member_live_bytes},
    {false, "fanout_members_dirty_bytes",
     "Changes of channel lists that are not in the members stores.",
     &telemetry::presence::member_dirty_bytes},
    {true, "fanout_members_lost_total",
     "Channel lists that could not be read any more.",
     &telemetry::presence::member_lists_lost},
    {true, "fanout_presence_refused_total",
     "Sessions refused because the node was at its memory limit.",
     &telemetry::presence::refused_for_memory},
};

} // namespace fantail
