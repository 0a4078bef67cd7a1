// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "core/frame.hpp"
#include "messages/protocol.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace fantail {

/// Serves one `frame` instance what it missed: reads a stretch of a shard's
/// stream again and routes it for this instance alone, one stretch per shard
/// at a time. Live deliveries do not pass through here; they are in the
/// egress (core/delivery/outbox.hpp).
struct outbox_deps {
  environment env;
  instance_index instance;
  range_reader_port* ranges = nullptr;
  std::vector<routing_shard_actor> shards;
};

struct outbox_state {
  /// Who misses a range asks for it again.
  static constexpr bool leaves_out_failed = true;
  static inline const char* name = "outbox";
  using handle = outbox_actor;

  struct open_request {
    range_request what;
    std::string reply_to;
    pull_ptr events;
    time_point asked_at;
  };

  outbox_actor::pointer self = nullptr;
  outbox_deps deps;
  instance_profile profile;
  uint64_t last_request = 0;
  std::unordered_map<uint64_t, open_request> requests;
  time_point now{};
  frame::writer scratch;

  void start(outbox_deps x);
  void recover() {}
  void on_admitted(const instance_admitted& x);
  void on_serve(const serve_range& x);
  void on_read(const range_read& x);
  void on_selected(const range_selected& x);
  void on_tick(const tick& x);
  void describe(json::object& out) const;

private:
  void refuse(const std::string& reply_to, control_reject reason,
              position first = {});
};

outbox_actor::behavior_type
outbox_server(component<outbox_actor, outbox_state>* self, outbox_deps deps);

} // namespace fantail
