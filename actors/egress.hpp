// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "core/delivery/outbox_group.hpp"
#include "messages/protocol.hpp"

#include <optional>
#include <vector>

namespace fantail {

/// Owns one connection to the instances: takes deliveries in, writes what came
/// in together in one go, and tells the shards what the server has. Runs on a
/// thread of its own, because it is the only actor that publishes much.
///
///     routing_shard ─deliver─► egress ─frames, marker─► NATS
///     routing_shard ◄─delivered─ egress ◄─marker_returned─ link
struct egress_deps {
  environment env;
  /// Number of this egress among its siblings.
  uint16_t group = 0;
  bus_port* bus = nullptr;
  outbox_config outboxes;
  uint16_t shards = 0;
};

struct egress_state {
  static inline const char* name = "egress";
  using handle = egress_actor;

  egress_actor::pointer self = nullptr;
  egress_deps deps;
  std::optional<outbox_group> group;
  telemetry::egress* counts = nullptr;

  /// Life of the link, 0 while it is down.
  uint64_t life = 0;
  bool flush_is_due = false;
  time_point next_second{};
  std::vector<routing_shard_actor> shards;
  /// Number of the newest pull of each shard that was taken in: a shard that
  /// was restarted may send it again.
  std::vector<uint64_t> taken;
  std::vector<outbox_group::incident> incidents;
  std::vector<outbox_group::confirmation> confirmations;

  void start(egress_deps x);
  void recover();
  void on_deliver(const deliver& x);
  void on_shard_begun(const shard_begun& x);
  void on_admit(const admit_instance& x);
  void on_acknowledge(const acknowledge_positions& x);
  void on_died(const instance_died& x);
  void on_unheard(const instance_unheard& x);
  void on_marker(const marker_returned& x);
  void on_reopened(const link_reopened& x);
  void on_link(const link_changed& x);
  void on_flush();
  void on_tick(const tick& x);
  void on_inspect(const inspect_node& x);
  void describe(json::object& out) const;

private:
  void schedule_flush();
  void tell_ranges_needed();
  void report_incidents();
  void publish_counts();
};

egress_actor::behavior_type egress(component<egress_actor, egress_state>* self,
                                   egress_deps deps);

} // namespace fantail
