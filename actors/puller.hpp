// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "core/delivery/pull_window.hpp"
#include "messages/protocol.hpp"

#include <optional>
#include <string>

namespace fantail {

/// Reads one log for its sink: opens it behind what was received, asks for
/// more as far as the window allows, and opens it anew whenever the link, the
/// consumer or the stream fails. Lives as long as the node.
struct puller_deps {
  environment env;
  log_reader_port* reader = nullptr;
  pull_sink_actor sink;
  pull_window::config window;
  /// Stream name, for the log.
  std::string stream;
};

struct puller_state {
  static inline const char* name = "puller";
  using handle = puller_actor;

  puller_actor::pointer self = nullptr;
  puller_deps deps;
  pull_window window{pull_window::config{}};

  enum class phase { idle, opening, reading, waiting };
  phase now_in = phase::idle;
  uint64_t attempt = 0;
  position received_to;
  /// Where the log ended when it was opened: that much has to come.
  position found_end;
  std::string created_at;
  time_point now{};
  /// When the current phase is given up.
  time_point deadline{};
  /// Since when there has been no stream.
  std::optional<time_point> missing_since;
  bool told_stalled = false;

  void start(puller_deps x);
  void recover();
  void on_start(const start_pulling& x);
  void on_opened(const log_opened& x);
  void on_failed(const log_failed& x);
  void on_pulled(const log_pulled& x);
  void on_request_ended(const log_request_ended& x);
  void on_link(const link_changed& x);
  void on_settled(const pull_settled& x);
  void on_tick(const tick& x);
  void describe(json::object& out) const;

private:
  void open();
  void wait_before_open(duration pause);
  void report_loss(position last_lost);
  void pump();
  void tell_stalled();
  bool is_another_life(const log_state& state) const;
};

puller_actor::behavior_type puller(component<puller_actor, puller_state>* self,
                                   puller_deps deps);

} // namespace fantail
