// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "actors/member_keeper.hpp"
#include "core/presence/delta_outbound.hpp"
#include "core/presence/presence_ledger.hpp"
#include "core/presence/refusals.hpp"
#include "messages/protocol.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fantail {

/// Owns one slice of the users: reads its log, keeps who is online where, tells
/// the routing shards what changed, and answers when a change is in effect.
/// A record that needs a channel list from the members store waits for it, and
/// everything behind it; the lists of all records that are known by then are
/// read meanwhile.
struct presence_shard_deps {
  environment env;
  presence_shard_id shard;
  presence_ledger_config ledger;
  membership_config membership;
  member_store_port* members = nullptr;
  std::vector<routing_shard_actor> routing;
  /// What the last life left behind: the ledger as a snapshot had it, and
  /// what has to be added to a position of the log to get its version.
  std::shared_ptr<presence_ledger> restored = nullptr;
  std::shared_ptr<fantail::membership> restored_members = nullptr;
  uint64_t version_base = 0;
  /// Routing shards (a mask) that have to be told all users anew, before
  /// anything else.
  uint64_t resync = 0;
};

struct presence_shard_state {
  static inline const char* name = "presence_shard";
  using handle = presence_shard_actor;

  presence_shard_actor::pointer self = nullptr;
  presence_shard_deps deps;
  std::optional<presence_ledger> ledger;
  std::optional<delta_outbound> outbound;
  std::optional<member_keeper> keeper;
  telemetry::presence* counts = nullptr;

  puller_actor source;
  time_point now{};
  time_point next_second{};
  /// Instances can be heard, so their silence means something.
  bool hears_instances = true;
  /// Nothing expires before: this process stood still.
  time_point expire_from{};
  bool is_short_of_memory = false;
  refusals refused;
  /// Added to positions once the log began a new life, so that versions never
  /// fall.
  uint64_t version_base = 0;
  /// The life of the log, as the server names it.
  std::string created_at;
  /// Where the log ended when it was opened first.
  std::optional<position> replay_to;
  bool is_replayed = false;
  position read_to;
  /// Records up to here are not in the log any more.
  position trimmed_to;
  /// Bytes read since the start.
  uint64_t bytes_read = 0;
  /// Credit kept back while the routing shards are behind.
  size_t owed_bytes = 0;

  /// A record that was read from its body.
  struct incoming {
    chat_event raw;
    presence_parse parsed;
    presence_record change;
    /// What was added to its position.
    uint64_t life = 0;
    int64_t received_at_ns = 0;
    /// The list it needed is lost.
    bool is_list_lost = false;
  };

  /// A pull that was not worked off yet.
  struct waiting_pull {
    pull_ptr events;
    /// Of the life of the log it was pulled from.
    uint64_t version_base;
    /// The first record that is not in `ahead`.
    size_t next = 0;
    std::deque<incoming> ahead;
  };
  std::deque<waiting_pull> waiting;

  /// Users to be told anew; nothing: that is still to begin.
  std::optional<std::deque<user_handle>> anew;

  /// Pulls whose deltas are under way: when they were read, and the number
  /// of deltas handed out up to and with theirs.
  struct in_flight {
    int64_t received_at_ns;
    uint64_t deltas;
  };
  std::deque<in_flight> latencies;
  uint64_t deltas_sent = 0;
  uint64_t deltas_applied = 0;
  /// Per routing shard: the number applied that was told last.
  std::vector<uint64_t> applied;

  // -- who wants to be told
  presence_desk_actor desk;
  std::set<std::string, std::less<>> watched;
  /// Watched users that changed in this pull.
  std::set<std::string> touched;
  /// Bit s is set if changes for routing shard s have to name their user.
  uint64_t named_shards = 0;

  std::vector<routed_change> changes;
  std::vector<presence_delta_ptr> deltas;
  std::vector<due_answer> answers;
  std::vector<expired_session> expired;
  std::vector<refusals::due_expire> overdue;

  void start(presence_shard_deps x);
  void recover();
  void on_pulled(const pulled& x);
  void on_found(const log_found& x);
  void on_lost(const positions_lost& x);
  void on_restarted(const log_restarted& x);
  void on_progress(const delta_progressed& x);
  void on_seen(const instances_seen& x);
  void on_ask_growth();
  void on_trimmed(const log_trimmed& x);
  void on_take_snapshot(const take_snapshot& x);
  void on_find_user(const find_user& x);
  void on_name_users(const name_users& x);
  void on_watch_user(const watch_user& x);
  void on_name_changes(const name_changes& x);
  void on_left(const instances_left& x);
  void on_link(const link_changed& x);
  void on_memory(const memory_state& x);
  void on_tick(const tick& x);
  void on_inspect(const inspect_node& x);
  void describe(json::object& out) const;

  void on_members_found(const members_found& x);
  void on_member_read(const member_read& x);
  void on_member_appended(const member_appended& x);

private:
  bool tell_anew();
  void begin_anew();
  void work_off();
  bool work_off(waiting_pull& x);
  void finish(const waiting_pull& x);
  void look_ahead();
  void read_next(waiting_pull& from) const;
  bool bring_rows(incoming& x);
  void apply(incoming& x);
  void announce(const incoming& x, const presence_outcome& outcome);
  void refuse(const incoming& x, presence_reject reason,
              std::string_view detail);
  void append_behind(log_position newest, std::string_view user,
                     const presence_update& update);
  void evict(user_handle user);
  bool is_new(const incoming& x) const;
  log_progress progress() const;
  void send_deltas();
  void tell_reached();
  void send_answers();
  void tell_watched();
  void pay_credit();
  void check_replayed();
  bool is_too_much(const presence_record& x);
  bool settle_refusal(const presence_record& x);
  void append_expire(const std::string& user, const std::string& session,
                     log_position newest);
  void expire_sessions();
  void publish_counts();
};

presence_shard_actor::behavior_type
presence_shard(component<presence_shard_actor, presence_shard_state>* self,
               presence_shard_deps deps);

} // namespace fantail
