// SPDX-License-Identifier: MIT
#include "chaos/run/breaker.hpp"

#include "core/json.hpp"

#include <signal.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace fantail::chaos {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto api_timeout = 5s;
constexpr auto server_patience = 30s;
constexpr auto poll_interval = 5ms;
constexpr int garbage_messages = 300;
/// A supervisor that has not given up by then has no intensity to exhaust.
constexpr int exhausting_kills = 30;

struct actor {
  std::string id;
  std::string path;
};

/// The actors whose path the pattern describes, in the order of their paths.
std::vector<actor> find_actors(const admin_client& api,
                               const std::string& pattern) {
  std::vector<actor> result;
  auto answer = api.get("/api/v1/actors", api_timeout);
  auto parsed = answer && answer->status == 200 ? json::parse(answer->body)
                                                : std::nullopt;
  if (!parsed)
    return result;
  auto* list = parsed->if_array() ? &*parsed : parsed->find("actors");
  if (!list || !list->if_array())
    return result;
  for (auto& x : *list->if_array()) {
    actor found{x.string_or("id", ""), x.string_or("path", "")};
    if (auto* id = x.find("id"); id && id->if_int())
      found.id = std::to_string(*id->if_int());
    if (!found.id.empty() && matches(pattern, found.path))
      result.push_back(std::move(found));
  }
  std::ranges::sort(result, {}, &actor::path);
  return result;
}

std::string mode_of(fault_kind x) {
  if (x == fault_kind::actor_hang)
    return "hang";
  return x == fault_kind::actor_exit || x == fault_kind::subtree_kill
             ? "exit"
             : "exception";
}

} // namespace

std::optional<std::string> find_admin_api(node_process& node,
                                          const plan& what) {
  auto answer = node.api().get("/api/v1/actors", api_timeout);
  if (answer && answer->status == 200)
    return std::nullopt;
  auto status = answer ? "it answers " + std::to_string(answer->status)
                       : std::string{"it does not answer"};
  return "the plan `" + what.name
         + "` breaks actors of the node, and this node does not offer GET "
           "/api/v1/actors: "
         + status;
}

breaker::breaker(const plan& what, breakables targets, recorder& notes,
                 const std::atomic<bool>& stop)
    : plan_(what), targets_(targets), notes_(notes), stop_(stop) {
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

void breaker::wait(duration time) const {
  auto until = steady::now() + time;
  while (!stop_ && steady::now() < until)
    std::this_thread::sleep_for(
        std::min<duration>(poll_interval, until - steady::now()));
}

void breaker::carry_out(const scheduled_fault& x) {
  auto& kind = plan_.faults[x.fault];
  mark_ = {mark_.fault + 1,
           fault_phase::on,
           std::string{to_string(kind.what)},
           {},
           no_instance};
  apply(kind, x);
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

void breaker::kill_node(const scheduled_fault& x) {
  on("node");
  targets_.node.kill();
  notes_.note(node_changed{false});
  wait(x.lasts);
  if (auto why = targets_.node.start())
    notes_.note(escalation_seen{"the node cannot be started: " + *why, false});
  off();
  while (!stop_ && targets_.node.is_running() && !targets_.node.is_ready())
    wait(poll_interval);
  notes_.note(node_changed{true});
}

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
  for (auto until = steady::now() + server_patience;
       targets_.server_returns == returns && steady::now() < until;)
    std::this_thread::sleep_for(1ms);
  off();
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

void breaker::break_actor(const plan_fault& kind, const scheduled_fault& x) {
  auto& api = targets_.node.api();
  auto actors = find_actors(api, kind.target);
  if (actors.empty()) {
    skip("no actor like " + kind.target);
    return;
  }
  auto& target = actors[x.pick % actors.size()];
  auto kill = [&](const actor& who) {
    auto answer = api.post("/api/v1/actors/" + who.id
                               + "/kill?mode=" + mode_of(kind.what),
                           api_timeout);
    return answer ? answer->status : 0;
  };
  on(target.path);
  auto status = kill(target);
  if (kind.what == fault_kind::intensity_exhaust)
    for (int i = 1; i < exhausting_kills && !stop_; ++i) {
      auto again = find_actors(api, target.path);
      if (!again.empty())
        kill(again.front());
    }
  if (kind.what == fault_kind::actor_hang)
    wait(x.lasts);
  off();
  if (status / 100 != 2)
    notes_.note(escalation_seen{"the kill of " + target.path + " was answered "
                                    + std::to_string(status),
                                false});
}

void breaker::watch() {
  auto end = targets_.node.take_end();
  if (!end)
    return;
  notes_.note(node_changed{false});
  auto is_expected = false;
  for (auto& x : plan_.faults)
    is_expected = is_expected || std::ranges::count(x.expects, "node") > 0;
  notes_.note(escalation_seen{"the node " + *end, is_expected});
  if (auto why = targets_.node.start())
    notes_.note(escalation_seen{"the node cannot be started: " + *why, false});
  while (!stop_ && targets_.node.is_running() && !targets_.node.is_ready())
    wait(poll_interval);
  notes_.note(node_changed{true});
}

} // namespace fantail::chaos
