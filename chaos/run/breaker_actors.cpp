// SPDX-License-Identifier: MIT
#include "chaos/run/breaker.hpp"
#include "core/json.hpp"

#include <algorithm>
#include <chrono>

namespace fantail::chaos {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto api_timeout = 5s;
constexpr auto actor_list = "/api/v1/actors?limit=1000";
/// The root: killing it is killing the node.
constexpr std::string_view root_id = "node";
/// An actor may end by itself between two questions.
constexpr int kill_attempts = 5;
constexpr auto kill_pause = 20ms;
/// A supervisor that has not given up by then never does.
constexpr auto exhaust_patience = 30s;

bool hits_supervisors(fault_kind x) {
  return x == fault_kind::subtree_kill || x == fault_kind::intensity_exhaust;
}

std::string mode_of(fault_kind what, duration lasts) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(lasts);
  switch (what) {
  case fault_kind::actor_hang:
    return "hang&for_ms=" + std::to_string(std::max<int64_t>(ms.count(), 1));
  case fault_kind::actor_exit:
    return "exit";
  case fault_kind::subtree_kill:
    return "kill";
  default:
    return "exception";
  }
}

std::string actor_kinds(const plan& what) {
  std::string result;
  for (auto& x : what.faults)
    if (needs_admin_api(x.what))
      result.append(result.empty() ? "" : ", ").append(to_string(x.what));
  return result;
}

std::string answered(const std::optional<admin_client::answer>& x) {
  return x ? "is answered " + std::to_string(x->status) : "is not answered";
}

} // namespace

struct breaker::actor {
  std::string id;
  bool is_supervisor;
};

std::optional<std::string> find_admin_api(node_process& node,
                                          const plan& what) {
  auto not_possible = actor_kinds(what) + ": not possible: ";
  auto list = node.api().get(actor_list, api_timeout);
  if (!list || list->status != 200)
    return not_possible + "node has no admin API (GET /api/v1/actors "
           + answered(list) + ")";
  // The token is needed to try, too.
  auto trial = node.api().post("/api/v1/actors/routing/kill?dry_run=true",
                               api_timeout);
  if (!trial || trial->status != 200)
    return not_possible + "the admin API of the node refuses to kill (a trial "
           + answered(trial) + "; the token is that of admin.token)";
  return std::nullopt;
}

std::optional<std::vector<breaker::actor>>
breaker::find_actors(const plan_fault& kind) {
  auto answer = targets_.node.api().get(actor_list, api_timeout);
  auto parsed = answer && answer->status == 200 ? json::parse(answer->body)
                                                : std::nullopt;
  auto* list = parsed ? parsed->find("actors") : nullptr;
  if (!list || !list->if_array())
    return std::nullopt;
  std::vector<actor> result;
  for (auto& x : *list->if_array()) {
    actor found{x.string_or("id", ""), x.string_or("type", "") == "supervisor"};
    auto state = x.string_or("state", "");
    auto is_there = state != "away" && state != "ended";
    if (!found.id.empty() && found.id != root_id && is_there
        && found.is_supervisor == hits_supervisors(kind.what)
        && matches(kind.target, found.id))
      result.push_back(std::move(found));
  }
  std::ranges::sort(result, {}, &actor::id);
  return result;
}

int breaker::kill_actor(const std::string& id, const std::string& how) {
  auto answer = targets_.node.api().post(
      "/api/v1/actors/" + admin_client::encoded(id) + "/kill?mode=" + how,
      api_timeout);
  return answer ? answer->status : 0;
}

void breaker::break_actor(const plan_fault& kind, const scheduled_fault& x) {
  auto status = 0;
  for (int i = 0; i < kill_attempts && status / 100 != 2; ++i) {
    auto actors = find_actors(kind);
    if (!actors || actors->empty()) {
      if (status == 0)
        skip(actors ? "no actor like " + kind.target
                    : "the admin API does not answer");
      break;
    }
    auto id = (*actors)[x.pick % actors->size()].id;
    if (kind.what == fault_kind::intensity_exhaust) {
      exhaust(id);
      return;
    }
    // From before it strikes: the answer comes when the actor was told.
    if (status == 0)
      on(id);
    status = kill_actor(id, mode_of(kind.what, x.lasts));
    if (status / 100 != 2)
      wait(kill_pause);
  }
  if (mark_.phase == fault_phase::skipped)
    return;
  if (kind.what == fault_kind::actor_hang)
    wait(x.lasts);
  off();
  if (status / 100 != 2)
    escalate("the kill of " + mark_.target + " was answered "
                 + std::to_string(status),
             mark_.target);
}

void breaker::exhaust(const std::string& supervisor) {
  on(supervisor);
  plan_fault children{fault_kind::actor_exception, 1, supervisor + "/*"};
  auto has_given_up = false, is_reached = true;
  uint64_t kills = 0;
  for (auto until = steady::now() + exhaust_patience;
       !has_given_up && is_reached && !stop_ && steady::now() < until;
       wait(kill_pause)) {
    auto actors = find_actors(children);
    is_reached = actors.has_value();
    if (actors)
      for (auto& x : *actors)
        kills += kill_actor(x.id, "exception") / 100 == 2;
    has_given_up = std::ranges::count(note_surrenders(), supervisor) > 0;
  }
  off();
  // Without an answer the node is ending, which is told elsewhere.
  if (!has_given_up && is_reached && !stop_)
    escalate("supervisor " + supervisor + " has not given up after "
                 + std::to_string(kills) + " kills of its children",
             "nobody");
}

} // namespace fantail::chaos
