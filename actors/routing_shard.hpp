// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "core/delivery/settle_tracker.hpp"
#include "core/routing/hot_channels.hpp"
#include "core/routing/shard_router.hpp"
#include "core/routing/stream_times.hpp"
#include "messages/protocol.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fantail {

/// Owns one shard: applies what presence tells it, routes pulls in stream
/// order to every egress, and settles positions once all of them have
/// confirmed. Checkpoints the settled position about once per second.
struct routing_shard_deps {
  environment env;
  shard_id shard;
  uint16_t presence_shards = 0;
  std::vector<egress_actor> egresses;
  /// What the last life left behind.
  fantail::epoch owner;
  position settled;
  std::string created_at;
  /// The router as a snapshot had it, or nothing.
  std::shared_ptr<shard_router> restored = nullptr;
  node_guard_actor guard;
};

struct routing_shard_state {
  static inline const char* name = "routing_shard";
  using handle = routing_shard_actor;

  routing_shard_actor::pointer self = nullptr;
  routing_shard_deps deps;
  std::optional<shard_router> router;
  std::optional<settle_tracker> settling;
  telemetry::shard* counts = nullptr;

  fantail::epoch owner;
  std::string created_at;
  /// Set while a new epoch is being claimed; pulls wait in `held`.
  bool is_claiming = false;
  std::vector<pull_ptr> held;
  /// The pull that is being routed, and whether it has its number.
  pull_ptr at_hand;
  bool is_opened = false;
  position checkpointed;
  /// Server times of the newest event before the last checkpoint, and before
  /// the one before that, which is stored for sure.
  int64_t checkpointed_ns = INT64_MIN;
  int64_t restart_from_ns = INT64_MIN;
  /// Ends of the pulls that are not checkpointed, and their server times.
  std::deque<std::pair<position, int64_t>> pull_ends;
  time_point next_second{};
  uint64_t pending = 0;

  puller_actor source;
  std::vector<presence_shard_actor> presence;
  /// Presence shards that have told everything from before the start.
  uint64_t replayed = 0;
  /// When events were stored, and how far back each egress may ask.
  stream_times stored;
  std::vector<position> needed;
  /// What each presence shard was told.
  std::vector<delta_progressed> told;
  /// Questions about channels, the one being answered in front.
  struct search {
    uint64_t question;
    uint64_t version;
    channel_scan scan;
    presence_desk_actor reply_to;
  };
  std::deque<search> searches;
  presence_desk_actor desk;
  /// What costs most.
  hot_channels hot;
  // Scratch memory of one pull.
  std::vector<delivery_list> lists;
  std::vector<uint32_t> spreads;

  void start(routing_shard_deps x);
  void recover();
  void on_pulled(const pulled& x);
  void on_found(const log_found& x);
  void on_lost(const positions_lost& x);
  void on_restarted(const log_restarted& x);
  void on_epoch(const epoch_claimed& x);
  void on_delta(const apply_delta& x);
  void on_replayed(const log_replayed& x);
  void on_take_snapshot(const take_snapshot& x);
  void on_delivered(const delivered& x);
  void on_select(const select_range& x);
  void on_find_users(const find_channel_users& x);
  void on_watch(const watch_channel& x);
  void on_search();
  void on_ranges_needed(const ranges_needed& x);
  void on_tick(const tick& x);
  void on_inspect(const inspect_node& x);
  void on_inspect_routes(const inspect_routes& x) const;
  void on_inspect_channels(const inspect_channels& x);
  void on_explain(const explain_route& x) const;
  void describe(json::object& out) const;

private:
  void begin_epoch(shard_position head);
  void route(const pull_ptr& events);
  void count_spreads(const pull& events);
  size_t table_bytes() const;
  trace_log::scene scene() const { return scene_of(deps.env, name); }
  void tell_progress(size_t presence_shard);
  void tell_watched();
  void tell_all_progress();
  void move_restart_point();
  void settled_more(position before, size_t bytes_before);
  void publish_counts();
};

routing_shard_actor::behavior_type
routing_shard(component<routing_shard_actor, routing_shard_state>* self,
              routing_shard_deps deps);

} // namespace fantail
