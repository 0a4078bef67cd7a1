// SPDX-License-Identifier: MIT
#include "api/actions.hpp"

#include "api/actor_views.hpp"
#include "api/query.hpp"
#include "core/limits.hpp"
#include "messages/wall_clock.hpp"

#include <functional>
#include <string>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

using view_ptr = std::shared_ptr<const admin_view>;

/// One change that somebody asked for.
struct order {
  std::string action;
  std::string id;
  /// Of `kill` only.
  std::string mode;
  uint64_t for_ms = 0;
  bool is_dry = false;
};

std::string plural(size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string{what}
         + (count == 1 ? "" : "s");
}

std::string restarter(const actor_look& x) {
  return x.record->supervisor.empty()
             ? "the process ends with code 1"
             : x.record->supervisor + " starts it again";
}

std::string explain_kill(const order& what, const actor_look& x, bool is_tree) {
  auto& id = what.id;
  auto lost = is_tree ? " Its children end with it and come back as well."
                      : " Nothing that waits for it is lost.";
  if (what.mode == "exception")
    return id + " fails with its next message; " + restarter(x) + "." + lost;
  if (what.mode == "exit" && is_tree)
    return id + " stops its children in order and ends; " + restarter(x) + ".";
  if (what.mode == "exit")
    return id + " ends with an error; " + restarter(x) + "." + lost;
  if (what.mode == "kill")
    return id + " ends at once, behind the message at hand; " + restarter(x)
           + "." + lost;
  return id + " does nothing for " + std::to_string(what.for_ms)
         + " ms; what waits for it is handled after that.";
}

std::string explain(const order& what, const actor_look& x, bool is_tree) {
  if (what.action == "kill")
    return explain_kill(what, x, is_tree);
  if (what.action == "suspend")
    return "Messages to " + what.id
           + " wait until it is resumed; none is lost. Whoever sends with "
             "credit waits in turn.";
  return what.id + " gets the " + plural(x.held, "message")
         + " that were held.";
}

control_result carry_out(const admin_view& view, const order& what) {
  if (what.action == "suspend")
    return view.control->suspend(what.id);
  if (what.action == "resume")
    return view.control->resume(what.id);
  auto mode = what.mode == "exception" ? kill_mode::exception
              : what.mode == "exit"    ? kill_mode::exit
              : what.mode == "kill"    ? kill_mode::kill
                                       : kill_mode::hang;
  return view.control->kill(what.id, mode,
                            std::chrono::milliseconds{what.for_ms});
}

/// What would become of it, as far as that can be told before.
control_result foresee(const order& what, const actor_look& x, bool is_tree) {
  if (what.action == "kill")
    return x.record->is_vacant ? control_result::away : control_result::done;
  if (what.action == "suspend" && is_tree)
    return control_result::refused;
  return x.record->is_suspended == (what.action == "suspend")
             ? control_result::unchanged
             : control_result::done;
}

http_response unknown_actor(const std::string& id) {
  return error_response(404, "not_found",
                        "there is no actor " + id
                            + "; GET /api/v1/actors lists them");
}

http_response conflict(const order& what, control_result result,
                       const actor_look& x) {
  if (result == control_result::refused)
    return error_response(409, "conflict",
                          what.id
                              + " is a supervisor, which cannot be suspended; "
                                "suspend its children one by one");
  if (x.state == activity::ended)
    return error_response(409, "conflict",
                          what.id
                              + " has ended and is not started again; "
                                "there is nothing to do");
  return error_response(409, "conflict",
                        what.id
                            + " is away: its supervisor is about to start it; "
                              "try again in a moment");
}

void report(const admin_view& view, const order& what) {
  if (what.action == "kill")
    view.reports->warn("admin", "actor-killed",
                       {{"actor", what.id}, {"mode", what.mode}});
  else if (what.action == "suspend")
    view.reports->warn("admin", "actor-suspended", {{"actor", what.id}});
  else
    view.reports->info("admin", "actor-resumed", {{"actor", what.id}});
}

json::value mode_of(const order& what) {
  return what.mode.empty() ? json::value{} : json::value{what.mode};
}

json::value time_of(const order& what) {
  return what.mode == "hang" ? json::value{what.for_ms} : json::value{};
}

http_response execute(const admin_view& view, const order& what) {
  actor_views actors{*view.actors, *view.watch, view.clock->now(),
                     unix_now_ns()};
  auto before = actors.find(what.id);
  if (!before)
    return unknown_actor(what.id);
  auto affected = actors.subtree(what.id);
  auto is_tree = type_of(*before->record) == "supervisor";
  auto result = foresee(what, *before, is_tree);
  auto explanation = explain(what, *before, is_tree);
  if (result == control_result::done && !what.is_dry) {
    // Before what follows from it.
    report(view, what);
    result = carry_out(view, what);
  }
  if (result != control_result::done && result != control_result::unchanged)
    return conflict(what, result, *before);
  auto is_done = result == control_result::done;
  json::array ids;
  for (auto& x : affected)
    if (what.action == "kill" && what.mode != "hang")
      ids.emplace_back(x);
  if (ids.empty())
    ids.emplace_back(what.id);
  return json_response(json::object{
      {"action", what.action},
      {"id", what.id},
      {"mode", mode_of(what)},
      {"for_ms", time_of(what)},
      {"dry_run", what.is_dry},
      {"outcome", !is_done      ? "unchanged"
                  : what.is_dry ? "would_be_done"
                                : "done"},
      {"affected", std::move(ids)},
      {"before", actors.summary(*before)},
      {"explanation", is_done ? explanation : "It was so already."}});
}

http_response unauthorized(const admin_view& view) {
  return error_response(
      401, "unauthorized",
      "changes need the node's token: send the header \"Authorization: Bearer "
      "TOKEN\"; the token is in "
          + view.token->path() + " on the node's machine");
}

/// Who asked for what, and what became of it.
void audit(const admin_view& view, const http_request& request,
           const order& what, const http_response& answer) {
  json::object entry{{"at_unix_ns", unix_now_ns()},
                     {"who", request.peer},
                     {"client", printable(request.user_agent, 100)},
                     {"node", view.name},
                     {"action", what.action},
                     {"id", printable(what.id, 200)},
                     {"mode", mode_of(what)},
                     {"for_ms", time_of(what)},
                     {"dry_run", what.is_dry},
                     {"status", answer.status}};
  auto body = json::parse(answer.body);
  auto* error = body ? body->find("error") : nullptr;
  entry["result"] = error  ? error->string_or("code", "")
                    : body ? body->string_or("outcome", "")
                           : "";
  if (!view.audit->add(entry))
    view.reports->error("admin", "audit-not-written",
                        {{"file", view.audit->path()},
                         {"action", what.action},
                         {"actor", what.id}});
}

order read_order(const std::string& action, const http_request& request,
                 query& asked) {
  order result;
  result.action = action;
  result.id = request.argument;
  result.is_dry = asked.flag("dry_run");
  if (action != "kill")
    return result;
  result.mode
      = asked.word("mode", "exception", {"exception", "exit", "kill", "hang"});
  result.for_ms = asked.number("for_ms", limits::hang_time_default / 1ms, 1,
                               limits::hang_time_max / 1ms);
  return result;
}

http_response serve(const admin_view& view, const std::string& action,
                    const http_request& request) {
  query asked{request};
  auto what = read_order(action, request, asked);
  // Nothing is changed that cannot be written down.
  if (!view.audit->is_writable())
    return error_response(
        500, "internal",
        "the change was not made, because it cannot be written down in "
            + view.audit->path() + "; see to the disk and its permissions");
  auto answer = !view.token->is_in(request.authorization) ? unauthorized(view)
                : asked.refusal()                         ? *asked.refusal()
                                                          : execute(view, what);
  audit(view, request, what, answer);
  return answer;
}

} // namespace

std::vector<http_route> action_routes(view_ptr view) {
  auto route = [view](const std::string& action, const char* about) {
    return http_route{"POST", "/api/v1/actors/{id}/" + action, about,
                      [view, action](const http_request& x) {
                        return serve(*view, action, x);
                      }};
  };
  return {route("kill", "make an actor end; ?mode=exception|exit|kill|hang"),
          route("suspend", "hold an actor's messages"),
          route("resume", "pass on what was held")};
}

} // namespace fantail
