// SPDX-License-Identifier: MIT
#pragma once

#include "actors/component.hpp"
#include "core/supervision/supervisor_machine.hpp"

#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace fantail {

/// Starts, watches, restarts and stops children as `supervisor_machine` says.
/// Ends with the cause if it gives up, and takes its children along however it
/// ends. An exit message stops it in order.
///
///     supervisor ─start function─► child      (monitored, never linked)
///     supervisor ◄─down─ child
struct supervisor_deps {
  environment env;
  /// Without children: those follow.
  supervisor_spec spec;
  std::vector<supervised_child> children;
};

struct supervisor_state {
  static inline const char* name = "supervisor";

  /// Kills whoever is still there: its supervisor was killed itself.
  ~supervisor_state();

  using actor_type = seated_actor<supervisor_actor, supervisor_state>;

  actor_type* self = nullptr;
  environment env;
  std::optional<supervisor_machine> machine;
  std::vector<std::function<caf::actor()>> starts;
  /// The children that run, by index; null if one does not.
  std::vector<caf::actor> running;
  std::unordered_map<caf::actor_id, size_t> index_of;
  supervisor_machine::actions todo;
  std::minstd_rand random{std::random_device{}()};
  /// When the board is written although nothing happens.
  time_point next_board{};

  void start(supervisor_deps deps);
  void on_down(const caf::down_msg& x);
  void on_exit(const caf::exit_msg& x);
  void on_start_child(const start_child& x);
  void on_tick(const tick& x);
  void describe(json::object& out);

private:
  void tell_board();
  void carry_out();
  void carry_out(supervisor_machine::action x);
  void start_now(size_t child);
  void end();
  double jitter();
};

supervisor_actor::behavior_type supervisor(supervisor_state::actor_type* self,
                                           supervisor_deps deps);

} // namespace fantail
