// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "core/ingest/republisher.hpp"
#include "messages/protocol.hpp"

#include <functional>
#include <optional>
#include <string>

namespace fantail {

/// Republishes a stream that others consume, too, into the streams of the
/// shards, on servers without the mapping (design: the *pool* input). Each
/// record gets there once and in the order of its channel, whatever dies.
///
///     user's stream ─► puller ─► partitioner ─► writer ─► FANTAIL_IN_{shard}
struct partitioner_deps {
  environment env;
  /// "chat" or "presence".
  std::string source;
  /// Name of the user's stream.
  std::string stream;
  /// It is Fantail's own, and trimmed behind what was republished.
  bool is_own = false;
  /// It keeps nothing but what is republished, so its end can be waited for.
  bool is_unmixed = true;
  uint16_t shards = 0;
  shard_writer_port* writer = nullptr;
  /// What the subjects of a shard begin with.
  std::function<std::string(uint16_t)> prefix_of;
  /// Up to where the last life republished.
  position republished;
  std::string created_at;
  /// Called once everything is republished that the stream held at the start.
  std::function<void()> on_caught_up;
};

struct partitioner_state {
  static inline const char* name = "partitioner";
  using handle = partitioner_actor;

  partitioner_actor::pointer self = nullptr;
  partitioner_deps deps;
  std::optional<republisher> machine;
  std::string created_at;
  puller_actor source;
  position checkpointed;
  position trimmable;
  std::optional<position> catch_up_to;
  time_point now{};
  time_point next_second{};
  time_point next_trim{};
  bool is_link_up = false;

  void start(partitioner_deps x);
  /// What was half done cannot be told apart.
  void recover() { throw state_damaged("it failed amid a message"); }
  void on_pulled(const pulled& x);
  void on_found(const log_found& x);
  void on_lost(const positions_lost& x);
  void on_restarted(const log_restarted& x);
  void on_answers(const records_answered& x);
  void on_end(const shard_end_found& x);
  void on_link(const link_changed& x);
  void on_tick(const tick& x);

private:
  void pump();
  void publish(shard_id shard, const republish_lane::outgoing& x);
  void note_progress();
  void check_caught_up();
  void trim();
};

partitioner_actor::behavior_type
partitioner(component<partitioner_actor, partitioner_state>* self,
            partitioner_deps deps);

} // namespace fantail
