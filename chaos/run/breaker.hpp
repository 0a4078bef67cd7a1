// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/plan/schedule.hpp"
#include "chaos/run/cut_proxy.hpp"
#include "chaos/run/instance_under_test.hpp"
#include "chaos/run/load.hpp"
#include "chaos/run/node_process.hpp"
#include "chaos/run/recorder.hpp"
#include "runtime/boot/embedded_server.hpp"

#include <atomic>
#include <deque>
#include <optional>
#include <random>
#include <string>

namespace fantail::chaos {

/// What can be broken. Everything lives longer than the breaker.
struct breakables {
  node_process& node;
  embedded_server& server;
  /// How often the server has come back; counted by its handler.
  const std::atomic<uint64_t>& server_returns;
  /// Nothing if the plan cuts no connections.
  cut_proxy* proxy;
  std::deque<instance_under_test>& instances;
  load& busy;
};

/// Carries out faults, one after the other, and notes when each began and when
/// what it took away was back. One thread, the one that started the node.
class breaker {
public:
  breaker(const plan& what, breakables targets, recorder& notes,
          const std::atomic<bool>& stop);

  /// Returns when the fault is over and undone.
  void carry_out(const scheduled_fault& x);

  /// Looks after the node: one that ended by itself is an escalation, and is
  /// started again.
  void watch();

private:
  void apply(const plan_fault& kind, const scheduled_fault& x);
  void kill_node(const scheduled_fault& x);
  void kill_server();
  void pause_server(duration lasts);
  void break_instance(const plan_fault& kind, const scheduled_fault& x);
  void break_actor(const plan_fault& kind, const scheduled_fault& x);
  void on(const std::string& target, instance_number instance = no_instance);
  void off();
  void skip(const std::string& why);
  void wait(duration time) const;

  const plan& plan_;
  breakables targets_;
  recorder& notes_;
  const std::atomic<bool>& stop_;
  fault_marked mark_;
};

/// Asks the node for what plans of actors need. Returns why that is missing.
std::optional<std::string> find_admin_api(node_process& node, const plan& what);

} // namespace fantail::chaos
