// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/plan/schedule.hpp"
#include "chaos/run/cut_proxy.hpp"
#include "chaos/run/instance_under_test.hpp"
#include "chaos/run/load.hpp"
#include "chaos/run/node_process.hpp"
#include "chaos/run/recorder.hpp"
#include "chaos/run/server_disk.hpp"
#include "runtime/boot/embedded_server.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace fantail::chaos {

/// What can be broken. Everything lives longer than the breaker.
struct breakables {
  node_process& node;
  embedded_server& server;
  /// How often the server has come back; counted by its handler.
  const std::atomic<uint64_t>& server_returns;
  /// Nothing if the plan cuts no connections.
  cut_proxy* proxy;
  /// Nothing if the plan fills no disk, or that is not possible here.
  server_disk* disk;
  std::deque<instance_under_test>& instances;
  load& busy;
};

/// Carries out faults, one after the other, and notes when each began and when
/// what it took away was back. One thread, the one that started the node.
class breaker {
public:
  /// `meanwhile` is called again and again while a fault lasts. Once `stop` is
  /// set, whatever is broken is mended and nothing is waited for.
  breaker(const plan& what, breakables targets, recorder& notes,
          const std::atomic<bool>& stop, std::function<void()> meanwhile);

  /// Returns when the fault is over and undone: how it was noted last.
  fault_marked carry_out(const scheduled_fault& x);

  /// Looks after the node: supervisors that gave up are noted; a node that
  /// ended by itself is, too, and is started again.
  void watch();

  /// How often the node ended, by itself or not.
  uint64_t node_ends() const noexcept { return node_ends_; }

private:
  struct actor;

  void apply(const plan_fault& kind, const scheduled_fault& x);
  void kill_node(const scheduled_fault& x);
  void kill_server();
  void pause_server(duration lasts);
  void fill_disk(duration lasts);
  void break_instance(const plan_fault& kind, const scheduled_fault& x);

  void break_actor(const plan_fault& kind, const scheduled_fault& x);
  void exhaust(const std::string& supervisor);
  std::optional<std::vector<actor>> find_actors(const plan_fault& kind);
  int kill_actor(const std::string& id, const std::string& how);

  std::vector<std::string> note_surrenders();
  void note_end(const std::string& how);
  /// The server was hit lately, or is not there.
  bool is_server_unwell() const;
  /// Waits until the node is ready, or has ended.
  void await_node();
  void escalate(const std::string& what, const std::string& who);
  bool is_expected(const std::string& who) const;

  void on(const std::string& target, instance_number instance = no_instance);
  void off();
  void skip(const std::string& why);
  void wait(duration time);
  template <class Condition>
  bool wait_for(Condition holds, duration patience);

  const plan& plan_;
  breakables targets_;
  recorder& notes_;
  const std::atomic<bool>& stop_;
  std::function<void()> meanwhile_;
  uint64_t node_ends_ = 0;
  fault_number last_ = 0;
  fault_marked mark_;
  /// What was broken lately, with the time of its end.
  std::vector<std::pair<time_point, const plan_fault*>> lately_;
  /// What ended the node by itself, as long as it is away.
  std::optional<fault_marked> end_;
};

/// Asks the node for what plans of actors need. Returns why that is not
/// possible.
std::optional<std::string> find_admin_api(node_process& node, const plan& what);

} // namespace fantail::chaos
