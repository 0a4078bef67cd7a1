// SPDX-License-Identifier: MIT
#include "console/diagnosis/observe.hpp"

#include "console/diagnosis/diagnosis.hpp"
#include "console/diagnosis/incidents.hpp"
#include "console/format.hpp"
#include "console/request.hpp"
#include "console/signals.hpp"
#include "console/terminal.hpp"

#include <chrono>
#include <thread>

namespace fantail::console {

using namespace std::chrono_literals;

namespace {

/// A node tells what it remembers at once; after so long it has told all.
constexpr auto remembered_quiet = 300ms;

/// An answer that a diagnosis can do without: null if there is none.
json::value ask_or_null(const session& node, const std::string& target) {
  auto answer = node.ask_json(target);
  auto* body = std::get_if<json::value>(&answer);
  return body ? std::move(*body) : json::value{};
}

std::variant<snapshot_of_node, problem> look_at(const session& node) {
  snapshot_of_node result;
  auto answer = node.ask_json("/api/v1/node");
  if (auto* bad = std::get_if<problem>(&answer))
    return *bad;
  result.node = std::move(std::get<json::value>(answer));
  result.shards = ask_or_null(node, "/api/v1/shards");
  auto metrics = node.ask("/metrics");
  if (auto* page_text = std::get_if<std::string>(&metrics))
    result.metrics = std::move(*page_text);
  return result;
}

std::variant<observation, problem> observe(const session& node,
                                           const invocation& x) {
  using clock = std::chrono::steady_clock;
  auto window = parse_seconds(x.option("window", "2")).value_or(2);
  auto before = look_at(node);
  if (auto* bad = std::get_if<problem>(&before))
    return *bad;
  auto began = clock::now();
  auto until = began
               + std::chrono::duration_cast<clock::duration>(
                   std::chrono::duration<double>{window});
  while (clock::now() < until && !is_interrupted())
    std::this_thread::sleep_for(20ms);
  if (is_interrupted())
    return problem{console_error, "interrupted"};
  auto after = look_at(node);
  if (auto* bad = std::get_if<problem>(&after))
    return *bad;
  observation result;
  result.window_seconds
      = std::chrono::duration<double>{clock::now() - began}.count();
  result.before = std::move(std::get<snapshot_of_node>(before));
  result.after = std::move(std::get<snapshot_of_node>(after));
  result.actors = ask_or_null(node, "/api/v1/actors?limit=1000");
  result.hottest = ask_or_null(node, "/api/v1/channels?top=cost&limit=5");
  result.largest = ask_or_null(node, "/api/v1/channels?top=members&limit=5");
  result.instances = ask_or_null(node, "/api/v1/instances");
  result.cache = ask_or_null(node, "/debug/cache-stats");
  result.now_unix_ns = unix_now_ns();
  return result;
}

/// Every event the node remembers.
std::variant<json::array, problem> remembered_events(const session& node) {
  json::array events;
  auto ended = node.follow(
      "/api/v1/events?since=0",
      [&](const std::string&, const std::string& data) {
        if (auto event = json::parse(data))
          events.push_back(std::move(*event));
        return true;
      },
      remembered_quiet);
  if (auto* bad = std::get_if<problem>(&ended))
    return *bad;
  return events;
}

} // namespace

std::variant<page, problem>
view_diagnosis(const session& node, const invocation& x, const look& how) {
  auto seen = observe(node, x);
  if (auto* bad = std::get_if<problem>(&seen))
    return *bad;
  return show_findings(diagnose(std::get<observation>(seen)), how);
}

std::variant<std::string, problem> diagnosis_json(const session& node,
                                                  const invocation& x) {
  auto seen = observe(node, x);
  if (auto* bad = std::get_if<problem>(&seen))
    return *bad;
  auto findings = diagnose(std::get<observation>(seen));
  return json::serialize(findings_as_json(findings), true) + "\n";
}

std::variant<page, problem> view_incidents(const session& node,
                                           const look& how) {
  auto events = remembered_events(node);
  if (auto* bad = std::get_if<problem>(&events))
    return *bad;
  return show_incidents(incidents_of(std::get<json::array>(events)), how);
}

std::variant<std::string, problem> incidents_json(const session& node) {
  auto events = remembered_events(node);
  if (auto* bad = std::get_if<problem>(&events))
    return *bad;
  json::array all;
  for (auto& x : incidents_of(std::get<json::array>(events)))
    all.push_back(json::object{
        {"actor", x.actor},
        {"what", x.what},
        {"why", x.why},
        {"killed_by", x.killed_by.empty() ? json::value{} : x.killed_by},
        {"began_unix_ns", x.began_unix_ns},
        {"ended_unix_ns",
         x.ended_unix_ns < 0 ? json::value{} : json::value{x.ended_unix_ns}},
        {"took_ns", x.ended_unix_ns < 0
                        ? json::value{}
                        : json::value{x.ended_unix_ns - x.began_unix_ns}}});
  return json::serialize(json::object{{"incidents", std::move(all)}}, true)
         + "\n";
}

} // namespace fantail::console
