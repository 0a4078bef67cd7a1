// SPDX-License-Identifier: MIT
#include "api/admin_api.hpp"

#include "api/actions.hpp"
#include "api/actor_views.hpp"
#include "api/channel_views.hpp"
#include "api/event_stream.hpp"
#include "api/node_report.hpp"
#include "api/openapi.hpp"
#include "api/query.hpp"
#include "api/shard_views.hpp"
#include "api/trace_stream.hpp"
#include "core/limits.hpp"
#include "core/subject.hpp"
#include "messages/wall_clock.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace fantail {

namespace {

constexpr uint64_t list_default = 100;
constexpr uint64_t list_max = 1000;
constexpr uint64_t watch_seconds_max = 86'400;
constexpr uint64_t trace_seconds_max = 300;

/// What the handlers share.
struct admin_api {
  explicit admin_api(admin_view x) : view(std::move(x)) {}

  actor_views look() const {
    return {*view.actors, *view.watch, view.clock->now(), unix_now_ns()};
  }

  http_response on_actors(const http_request& request) const;
  http_response on_actor(const http_request& request) const;
  http_response on_instances() const;
  http_response on_channels(const http_request& request) const;
  http_response on_route(const http_request& request) const;
  http_response on_user(const http_request& request) const;
  http_response on_dead_letters(const http_request& request) const;
  http_response on_events(const http_request& request);
  http_response on_trace(const http_request& request);

  const admin_view view;
  viewer_count viewers;
};

// -- actors

double measure(const actor_look& x, std::string_view by) {
  if (by == "queue")
    return static_cast<double>(x.signs.waiting + x.held);
  if (by == "rate")
    return x.pace.messages_per_second;
  if (by == "handler_time")
    return x.pace.busy_ratio;
  if (by == "restarts")
    return static_cast<double>(x.life.starts);
  return x.record->knows_bytes ? static_cast<double>(x.record->bytes.get())
                               : -1;
}

void sort_by(std::vector<actor_look>& actors, std::string_view by) {
  std::ranges::sort(actors, [by](auto& a, auto& b) {
    auto x = measure(a, by);
    auto y = measure(b, by);
    return x != y ? x > y : a.record->id < b.record->id;
  });
}

bool is_under(const std::string& id, const std::string& supervisor) {
  return supervisor.empty() || supervisor == "node" || id == supervisor
         || id.starts_with(supervisor + "/");
}

http_response admin_api::on_actors(const http_request& request) const {
  query asked{request};
  auto top = asked.word(
      "top", "", {"queue", "rate", "handler_time", "memory", "restarts"});
  auto limit = asked.number("limit", top.empty() ? list_max : list_default, 1,
                            list_max);
  auto state = asked.word(
      "state", "", {"idle", "busy", "stuck", "suspended", "away", "ended"});
  if (asked.refusal())
    return *asked.refusal();
  auto type = asked.text("type");
  auto under = asked.text("under");
  auto now = look();
  auto actors = now.all();
  std::erase_if(actors, [&](auto& x) {
    return (!type.empty() && type_of(*x.record) != type)
           || (!state.empty() && to_string(x.state) != state)
           || !is_under(x.record->id, under);
  });
  auto total = actors.size();
  if (top.empty())
    std::ranges::sort(actors, {}, [](auto& x) { return x.record->id; });
  else
    sort_by(actors, top);
  actors.resize(std::min<size_t>(limit, actors.size()));
  json::array list;
  for (auto& x : actors)
    list.push_back(now.summary(x));
  return json_response(
      json::object{{"taken_unix_ns", now.unix_now_ns()},
                   {"sorted_by", top.empty() ? std::string{"id"} : top},
                   {"total", uint64_t{total}},
                   {"actors", std::move(list)}});
}

bool tells_internals(std::string_view type) {
  constexpr std::string_view telling[]{"routing-shard", "presence-shard",
                                       "egress",        "outbox",
                                       "puller",        "supervisor"};
  return std::ranges::find(telling, type) != std::end(telling);
}

http_response admin_api::on_actor(const http_request& request) const {
  auto now = look();
  auto found = now.find(request.argument);
  if (!found)
    return error_response(404, "not_found",
                          "there is no actor " + request.argument
                              + "; GET /api/v1/actors lists them");
  auto result = now.summary(*found);
  result.merge(now.details(*found));
  result["internals"] = json::value{};
  result["internals_missing"] = json::value{};
  if (!tells_internals(type_of(*found->record)))
    return json_response(std::move(result));
  // Whoever is stuck does not answer, and waiting for it helps nobody.
  auto is_stuck = found->state == activity::stuck;
  auto said = is_stuck ? std::nullopt
                       : view.control->describe(request.argument,
                                                limits::operator_timeout);
  if (said && type_of(*found->record) == "outbox") {
    auto seen = view.inspect_instances();
    if (seen)
      add_delivery(*seen, *said);
    if (!said->contains("delivery_state"))
      said.reset();
  }
  if (said)
    result["internals"] = std::move(*said);
  else
    result["internals_missing"] = request.argument + " does not answer; it is "
                                  + std::string{to_string(found->state)};
  return json_response(std::move(result));
}

// -- shards, instances, channels, users

http_response admin_api::on_instances() const {
  auto seen = view.inspect_instances();
  if (!seen)
    return no_answer_of("a presence shard, an egress or the registrar");
  return json_response(instance_list(view, look(), *seen));
}

http_response admin_api::on_channels(const http_request& request) const {
  query asked{request};
  auto by = asked.word("top", "cost", {"members", "cost", "fanout"});
  auto limit = asked.number("limit", list_default, 1, list_max);
  if (asked.refusal())
    return *asked.refusal();
  auto order = by == "members" ? channel_order::members
               : by == "cost"  ? channel_order::cost
                               : channel_order::fanout;
  auto shards = view.rank_channels(order, limit);
  if (!shards)
    return no_answer_of("a routing shard");
  return json_response(channel_list(*shards, order, limit, unix_now_ns()));
}

http_response not_a_name(std::string_view what) {
  return error_response(400, "bad_parameter",
                        "this is no " + std::string{what}
                            + " name; names have 1 to 128 of A-Z a-z 0-9 _ -");
}

http_response admin_api::on_route(const http_request& request) const {
  if (!is_token(request.argument))
    return not_a_name("channel");
  auto route = view.explain_route(request.argument);
  if (!route)
    return no_answer_of("the routing shard of the channel");
  auto seen = view.inspect_instances();
  if (!seen)
    return no_answer_of("a presence shard, an egress or the registrar");
  return json_response(route_report(view, request.argument, *route, *seen));
}

http_response admin_api::on_user(const http_request& request) const {
  if (!is_token(request.argument))
    return not_a_name("user");
  auto user = view.explain_user(request.argument);
  if (!user)
    return no_answer_of("the presence shard of the user");
  return json_response(user_report(view, request.argument, *user));
}

// -- what happened

http_response admin_api::on_dead_letters(const http_request& request) const {
  query asked{request};
  auto limit = asked.number("limit", list_default, 1, list_max);
  if (asked.refusal())
    return *asked.refusal();
  return json_response(dead_letter_list(view, limit, unix_now_ns()));
}

/// The kinds of `?kind=a,b`; nothing if one is unknown.
std::optional<std::set<std::string, std::less<>>>
kinds_of(const std::string& text) {
  std::set<std::string, std::less<>> result;
  for (size_t begin = 0; begin < text.size();) {
    auto end = std::min(text.find(',', begin), text.size());
    auto kind = text.substr(begin, end - begin);
    if (!is_event_kind(kind))
      return std::nullopt;
    result.insert(kind);
    begin = end + 1;
  }
  return result;
}

http_response too_many_viewers() {
  return error_response(503, "too_many_viewers",
                        "16 viewers watch this node already; close one, or ask "
                        "GET /api/v1/actors/{id} for its last events");
}

http_response admin_api::on_events(const http_request& request) {
  query asked{request};
  event_wish wish;
  wish.since = view.events->newest();
  wish.since = asked.number("since", wish.since, 0, INT64_MAX);
  auto& last = request.last_event_id;
  if (!last.empty())
    std::from_chars(last.data(), last.data() + last.size(), wish.since);
  auto seconds = asked.number("for_seconds", 0, 1, watch_seconds_max);
  auto kinds = kinds_of(asked.text("kind"));
  if (!kinds)
    return error_response(400, "bad_parameter",
                          "kind names an unknown kind of event; "
                          "GET /api/v1/openapi.json lists them");
  if (asked.refusal())
    return *asked.refusal();
  wish.kinds = std::move(*kinds);
  if (seconds > 0)
    wish.until = view.clock->now() + std::chrono::seconds{seconds};
  auto seat = viewers.enter();
  if (!seat)
    return too_many_viewers();
  http_response result{200, "text/event-stream", ": watching\n\n"};
  result.stream = stream_events(*view.events, *view.clock, std::move(wish),
                                std::move(seat));
  return result;
}

http_response admin_api::on_trace(const http_request& request) {
  query asked{request};
  trace_wish wish{asked.text("channel"), asked.text("event"),
                  asked.text("user")};
  wish.limit = asked.number("limit", 10, 1, list_max);
  auto seconds = asked.number("for_seconds", 30, 1, trace_seconds_max);
  if (asked.refusal())
    return *asked.refusal();
  auto given = !wish.channel.empty() + !wish.event.empty() + !wish.user.empty();
  if (given != 1)
    return error_response(400, "bad_parameter",
                          "exactly one of channel, user and event is needed; "
                          "ask for channel=general");
  auto seat = viewers.enter();
  if (!seat)
    return too_many_viewers();
  http_response result{200, "text/event-stream", ": watching\n\n"};
  result.stream = stream_trace(
      view.counts->traces.open(std::move(wish)), *view.clock,
      view.clock->now() + std::chrono::seconds{seconds}, std::move(seat));
  return result;
}

} // namespace

std::vector<http_route> admin_routes(admin_view view) {
  auto api = std::make_shared<admin_api>(std::move(view));
  std::vector<http_route> result;
  auto add = [&result](const char* path, const char* about, auto handler,
                       bool waits = false) {
    result.push_back({"GET", path, about, std::move(handler), waits});
  };
  add("/api/v1/node", "what runs here, and how it is",
      [api](const http_request&) {
        return json_response(node_report(api->view, api->look()));
      });
  add("/api/v1/tree", "supervisors and their children",
      [api](const http_request&) { return json_response(api->look().tree()); });
  add("/api/v1/actors",
      "all actors; ?top=queue|rate|handler_time|memory|restarts",
      [api](const http_request& x) { return api->on_actors(x); });
  add(
      "/api/v1/actors/{id}", "one actor with its state",
      [api](const http_request& x) { return api->on_actor(x); }, true);
  add("/api/v1/shards", "routing shards and presence shards",
      [api](const http_request&) {
        return json_response(shard_list(api->view, api->look()));
      });
  add(
      "/api/v1/instances", "instances, and how deliveries to them stand",
      [api](const http_request&) { return api->on_instances(); }, true);
  add(
      "/api/v1/channels", "first channels; ?top=members|cost|fanout",
      [api](const http_request& x) { return api->on_channels(x); }, true);
  add(
      "/api/v1/channels/{name}/route", "where events of a channel go, and why",
      [api](const http_request& x) { return api->on_route(x); }, true);
  add(
      "/api/v1/users/{name}", "where a user is",
      [api](const http_request& x) { return api->on_user(x); }, true);
  add("/api/v1/deadletters", "messages and inputs nobody could take",
      [api](const http_request& x) { return api->on_dead_letters(x); });
  add("/api/v1/events", "what happens, as it happens (server-sent events)",
      [api](const http_request& x) { return api->on_events(x); });
  add("/api/v1/trace",
      "follows events through the actors; ?channel=, ?user= or ?event=",
      [api](const http_request& x) { return api->on_trace(x); });
  add("/api/v1/openapi.json", "the contract of /api/v1",
      [](const http_request&) {
        return http_response{200, "application/json",
                             std::string{openapi_document}};
      });
  std::shared_ptr<const admin_view> shared{api, &api->view};
  for (auto& x : action_routes(std::move(shared)))
    result.push_back(std::move(x));
  return result;
}

} // namespace fantail
