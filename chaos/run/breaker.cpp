// SPDX-License-Identifier: MIT
#include "chaos/run/breaker.hpp"

#include <signal.h>

#include <algorithm>
#include <thread>

namespace fantail::chaos {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto server_patience = 60s;
constexpr auto node_patience = 60s;
/// Recovery is told as exactly as this.
constexpr auto look_interval = 1ms;
/// After this an escalation is no consequence of a fault any more.
constexpr auto consequences_end = 60s;
/// What a node does that finds no server when it starts.
constexpr std::string_view ended_without_server = "ended with status 4";
/// A node that cannot be started is not tried more often.
constexpr auto start_pause = 1s;
constexpr int garbage_messages = 300;

} // namespace

breaker::breaker(const plan& what, breakables targets, recorder& notes,
                 const std::atomic<bool>& stop, std::function<void()> meanwhile)
    : plan_(what), targets_(targets), notes_(notes), stop_(stop),
      meanwhile_(std::move(meanwhile)) {
  // nop
}

void breaker::on(const std::string& target, instance_number instance) {
  mark_.phase = fault_phase::on;
  mark_.target = target;
  mark_.instance = instance;
  notes_.note(mark_);
}

void breaker::off() {
  mark_.phase = fault_phase::off;
  notes_.note(mark_);
}

void breaker::skip(const std::string& why) {
  mark_.phase = fault_phase::skipped;
  mark_.target = why;
  notes_.note(mark_);
}

template <class Condition>
bool breaker::wait_for(Condition holds, duration patience) {
  for (auto until = steady::now() + patience; !holds();
       std::this_thread::sleep_for(look_interval)) {
    if (stop_ || steady::now() > until)
      return false;
    meanwhile_();
  }
  return true;
}

void breaker::wait(duration time) {
  auto until = steady::now() + time;
  wait_for([&] { return steady::now() >= until; }, time);
}

fault_marked breaker::carry_out(const scheduled_fault& x) {
  auto& kind = plan_.faults[x.fault];
  mark_ = {++last_,
           fault_phase::on,
           std::string{to_string(kind.what)},
           {},
           no_instance};
  // What it leads to may be seen while it lasts.
  lately_.emplace_back(time_point::max(), &kind);
  apply(kind, x);
  lately_.back().first = steady::now();
  return mark_;
}

void breaker::apply(const plan_fault& kind, const scheduled_fault& x) {
  switch (kind.what) {
  case fault_kind::node_kill:
    kill_node(x);
    break;
  case fault_kind::server_kill:
    kill_server();
    break;
  case fault_kind::server_pause:
    pause_server(x.lasts);
    break;
  case fault_kind::connection_cut:
    on("node");
    targets_.proxy->cut();
    off();
    break;
  case fault_kind::disk_full:
    fill_disk(x.lasts);
    break;
  case fault_kind::instance_stall:
  case fault_kind::instance_kill:
    break_instance(kind, x);
    break;
  case fault_kind::bad_input: {
    on("node");
    std::mt19937_64 random{x.pick};
    targets_.busy.publish_garbage(random, garbage_messages);
    off();
    break;
  }
  default:
    break_actor(kind, x);
  }
}

// -- the server
// ------------------------------------------------------------------

void breaker::kill_server() {
  auto pid = targets_.server.pid();
  if (!pid || *pid <= 1) {
    skip("no server runs");
    return;
  }
  auto returns = targets_.server_returns.load();
  on("nats-server");
  ::kill(*pid, SIGKILL);
  // Whoever watches it starts it again.
  auto is_back = wait_for([&] { return targets_.server_returns != returns; },
                          server_patience);
  off();
  if (!is_back && !stop_)
    escalate("the nats-server does not come back", "nats-server");
}

void breaker::pause_server(duration lasts) {
  auto pid = targets_.server.pid();
  if (!pid || *pid <= 1) {
    skip("no server runs");
    return;
  }
  on("nats-server");
  ::kill(*pid, SIGSTOP);
  wait(lasts);
  ::kill(*pid, SIGCONT);
  off();
}

void breaker::fill_disk(duration lasts) {
  if (!targets_.disk) {
    skip("the server has no disk of its own");
    return;
  }
  on("nats-server");
  auto problem = targets_.disk->fill();
  wait(lasts);
  auto other = targets_.disk->make_room();
  off();
  for (auto& why : {problem, other})
    if (why)
      escalate(*why, "nats-server");
}

// -- instances
// -------------------------------------------------------------------

void breaker::break_instance(const plan_fault& kind, const scheduled_fault& x) {
  auto number
      = static_cast<instance_number>(x.pick % targets_.instances.size());
  auto& instance = targets_.instances[number];
  on(world::instance_name(number), number);
  if (kind.what == fault_kind::instance_stall) {
    instance.stall();
    wait(x.lasts);
    instance.go_on();
  } else {
    instance.kill();
    wait(x.lasts);
    instance.revive();
  }
  off();
}

// -- the node
// --------------------------------------------------------------------

void breaker::kill_node(const scheduled_fault& x) {
  on("node");
  targets_.node.kill();
  ++node_ends_;
  notes_.note(node_changed{false});
  wait(x.lasts);
  if (auto why = targets_.node.start())
    escalate("the node cannot be started: " + *why, "node");
  off();
  await_node();
}

void breaker::await_node() {
  std::optional<std::string> how;
  auto is_settled = wait_for(
      [&] {
        how = targets_.node.take_end();
        return how || targets_.node.is_ready();
      },
      node_patience);
  if (how && *how == ended_without_server && is_server_unwell()) {
    // As it should; whoever looks after nodes starts it again.
    if (auto why = targets_.node.start())
      escalate("the node cannot be started: " + *why, "node");
    else
      await_node();
  } else if (how)
    note_end(*how);
  else if (is_settled)
    notes_.note(node_changed{true});
  else if (!stop_)
    escalate("the node does not get ready", "node");
}

bool breaker::is_server_unwell() const {
  auto now = steady::now();
  return !targets_.server.is_up() || std::ranges::any_of(lately_, [&](auto& x) {
    auto kind = x.second->what;
    auto hits_server = kind == fault_kind::disk_full
                       || kind == fault_kind::server_kill
                       || kind == fault_kind::server_pause;
    return hits_server
           && (x.first == time_point::max()
               || now - x.first < consequences_end);
  });
}

void breaker::note_end(const std::string& how) {
  ++node_ends_;
  notes_.note(node_changed{false});
  end_ = {++last_, fault_phase::on, "node-end", "node", no_instance};
  notes_.note(*end_);
  escalate("the node " + how, "node");
}

void breaker::watch() {
  note_surrenders();
  if (auto how = targets_.node.take_end())
    note_end(*how);
  if (targets_.node.is_running())
    return;
  if (auto why = targets_.node.start()) {
    escalate("the node cannot be started: " + *why, "node");
    wait(start_pause);
    return;
  }
  if (end_) {
    end_->phase = fault_phase::off;
    notes_.note(*std::exchange(end_, std::nullopt));
  }
  await_node();
  if (end_)
    wait(start_pause);
}

// -- escalations
// -----------------------------------------------------------------

std::vector<std::string> breaker::note_surrenders() {
  std::vector<std::string> result;
  for (auto& x : targets_.node.take_surrenders()) {
    escalate(x.cause.empty() ? "supervisor " + x.supervisor + " gave up"
                             : x.cause,
             x.supervisor);
    result.push_back(x.supervisor);
  }
  return result;
}

void breaker::escalate(const std::string& what, const std::string& who) {
  notes_.note(escalation_seen{what, is_expected(who)});
}

bool breaker::is_expected(const std::string& who) const {
  auto now = steady::now();
  return std::ranges::any_of(lately_, [&](auto& x) {
    auto is_recent
        = x.first == time_point::max() || now - x.first < consequences_end;
    return is_recent
           && std::ranges::any_of(x.second->expects, [&](auto& pattern) {
                return matches(pattern, who);
              });
  });
}

} // namespace fantail::chaos
