// SPDX-License-Identifier: MIT
#include "console/session.hpp"

#include "console/diagnosis/observe.hpp"
#include "console/event_stream.hpp"
#include "console/fields.hpp"
#include "console/request.hpp"
#include "console/signals.hpp"
#include "console/text.hpp"
#include "console/views/views.hpp"

#include <utility>

namespace fantail::console {

namespace {

using view_function = page (*)(const json::value&, const look&);

view_function view_of(std::string_view name) {
  constexpr std::pair<std::string_view, view_function> views[]
      = {{"status", show_status},       {"tree", show_tree},
         {"actors", show_actors},       {"actor", show_actor},
         {"shards", show_shards},       {"instances", show_instances},
         {"channels", show_channels},   {"users show", show_user},
         {"route explain", show_route}, {"deadletters", show_dead_letters}};
  for (auto& [known, function] : views)
    if (known == name)
      return function;
  return nullptr;
}

problem no_such_instance(const std::string& name) {
  return {console_error, "there is no instance \"" + printable(name)
                             + "\"; \"fantail instances\" lists them"};
}

} // namespace

problem problem_of_answer(const reply& x) {
  auto code
      = x.status == 401 || x.status == 403 ? console_refused : console_error;
  auto status = "status " + std::to_string(x.status);
  auto parsed = json::parse(x.body);
  if (!parsed)
    return {code, "the node answered with " + status
                      + ", and nothing that Fantail would say; is this the "
                        "HTTP address of a node?"};
  auto message = text(member(*parsed, "error"), "message");
  // Routes outside /api/v1 have a form of their own.
  if (message.empty()) {
    message = text(*parsed, "error");
    if (auto advice = text(*parsed, "what_to_do"); !advice.empty())
      message += "; " + advice;
  }
  if (message.empty())
    message = "the node answered with " + status;
  if (code == console_refused)
    message += "\nGive the token with --token-file FILE, or in FANTAIL_TOKEN.";
  return {code, message};
}

http_client session::client(bool with_token) const {
  http_client::options options;
  auto is_wanted = how_.is_token_given || (with_token && how_.at.is_loopback());
  if (is_wanted)
    options.token = how_.token;
  options.timeout = how_.timeout;
  options.is_interrupted = is_interrupted;
  return {how_.at, std::move(options)};
}

problem session::problem_of(const failure& x) const {
  auto url = how_.at.url();
  switch (x.kind) {
  case trouble::unreachable:
    return {console_unreachable,
            "cannot reach " + url + ": " + x.why
                + "\nIs the node running? Start one with: fantail node"
                  "\nIs it elsewhere? Name it with --url or FANTAIL_URL."};
  case trouble::silent:
    return {console_unreachable,
            url + " gives " + x.why
                + "\nThe node may be overloaded or stopped; --timeout 30s "
                  "waits longer."};
  case trouble::broken:
    return {console_unreachable, url + ": " + x.why};
  case trouble::interrupted:
    break;
  }
  return {console_error, "interrupted"};
}

std::variant<std::string, problem> session::body_of(reply x) const {
  if (x.status != 200)
    return problem_of_answer(x);
  return std::move(x.body);
}

std::variant<std::string, problem>
session::ask(const std::string& target) const {
  auto answer = client(false).get(target);
  if (auto* bad = std::get_if<failure>(&answer))
    return problem_of(*bad);
  return body_of(std::move(std::get<reply>(answer)));
}

std::variant<json::value, problem>
session::ask_json(const std::string& target) const {
  auto body = ask(target);
  if (auto* bad = std::get_if<problem>(&body))
    return *bad;
  std::string why;
  auto parsed = json::parse(std::get<std::string>(body), &why);
  if (!parsed)
    return problem{console_error, "the node's answer is no JSON: " + why};
  return std::move(*parsed);
}

std::variant<std::string, problem>
session::change(const std::string& target) const {
  auto answer = client(true).send("POST", target, {});
  if (auto* bad = std::get_if<failure>(&answer))
    return problem_of(*bad);
  return body_of(std::move(std::get<reply>(answer)));
}

std::variant<std::monostate, problem> session::follow(
    const std::string& target,
    const std::function<bool(const std::string&, const std::string&)>& on_event,
    std::chrono::milliseconds quiet_max,
    const std::function<void()>& on_open) const {
  using clock = std::chrono::steady_clock;
  http_client::options options;
  if (how_.is_token_given)
    options.token = how_.token;
  options.timeout = how_.timeout;
  auto heard_at = clock::now();
  bool is_quiet = false;
  bool has_begun = false;
  options.is_interrupted = [&] {
    is_quiet = quiet_max.count() > 0 && has_begun
               && clock::now() - heard_at > quiet_max;
    return is_quiet || is_interrupted();
  };
  http_client client{how_.at, options};
  event_reader reader;
  auto on_bytes = [&](std::string_view bytes) {
    heard_at = clock::now();
    has_begun = true;
    reader.feed(bytes);
    while (auto event = reader.next())
      if (!on_event(event->name, event->data))
        return false;
    return true;
  };
  // A node without events sends none, and says nothing for a while.
  auto begin = [&] {
    heard_at = clock::now();
    has_begun = true;
    on_open();
  };
  auto ended = client.follow("GET", target, {}, on_bytes, begin);
  if (auto* answer = std::get_if<reply>(&ended))
    return problem_of_answer(*answer);
  auto* bad = std::get_if<failure>(&ended);
  if (!bad || is_quiet || bad->kind == trouble::interrupted)
    return std::monostate{};
  return problem_of(*bad);
}

std::variant<page, problem> session::view(const invocation& x,
                                          const look& how) const {
  if (x.what->name == "diagnose")
    return view_diagnosis(*this, x, how);
  if (x.what->name == "incidents")
    return view_incidents(*this, how);
  auto answer = ask_json(target_of(x));
  if (auto* bad = std::get_if<problem>(&answer))
    return *bad;
  auto& body = std::get<json::value>(answer);
  if (x.what->name == "instance") {
    auto result = show_instance(body, x.argument(0), how);
    if (result.lines.empty())
      return no_such_instance(x.argument(0));
    return result;
  }
  auto function = view_of(x.what->name);
  if (!function)
    return problem{console_usage, "\"" + std::string{x.what->name}
                                      + "\" cannot be shown here"};
  return function(body, how);
}

std::variant<std::string, problem>
session::view_json(const invocation& x) const {
  if (x.what->name == "diagnose")
    return diagnosis_json(*this, x);
  if (x.what->name == "incidents")
    return incidents_json(*this);
  if (x.what->name != "instance")
    return ask(target_of(x));
  auto answer = ask_json(target_of(x));
  if (auto* bad = std::get_if<problem>(&answer))
    return *bad;
  for (auto& i : list(std::get<json::value>(answer), "instances"))
    if (i.string_or("name", "") == x.argument(0))
      return json::serialize(i, true) + "\n";
  return no_such_instance(x.argument(0));
}

} // namespace fantail::console
