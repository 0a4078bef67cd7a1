// SPDX-License-Identifier: MIT
#include "api/node_api.hpp"

#include "api/cache_stats.hpp"
#include "api/channel_routes.hpp"
#include "api/latency_report.hpp"
#include "api/profile_api.hpp"
#include "api/routing_stats.hpp"
#include "runtime/metrics/exporter.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace fantail {

namespace {

constexpr size_t top_default = 10;
constexpr size_t top_max = 100;

/// What the handlers share.
struct node_api {
  explicit node_api(node_view x)
      : view(std::move(x)), metrics(*view.counts, *view.instances),
        window(*view.counts) {}

  http_response on_health() const;
  http_response on_ready() const;
  http_response on_metrics() const;
  http_response on_version() const;
  http_response on_routing_stats(const http_request& request) const;
  http_response on_routes(const http_request& request) const;
  http_response on_latency(const http_request& request);

  const node_view view;
  exporter metrics;
  latency_window window;
};

/// The value of `?top=`, or nothing if it is none.
std::optional<size_t> top_of(const http_request& request) {
  auto i = request.query.find("top");
  if (i == request.query.end())
    return top_default;
  size_t result = 0;
  auto* end = i->second.data() + i->second.size();
  auto parsed = std::from_chars(i->second.data(), end, result);
  if (parsed.ec != std::errc{} || parsed.ptr != end || result < 1
      || result > top_max)
    return std::nullopt;
  return result;
}

http_response node_api::on_health() const {
  auto components = view.health();
  return json_response(health_report(components),
                       is_healthy(components) ? 200 : 503);
}

http_response node_api::on_ready() const {
  auto components = view.health();
  return json_response(ready_report(components),
                       is_ready(components) ? 200 : 503);
}

http_response node_api::on_metrics() const {
  return {200, exporter::content_type, metrics.render()};
}

http_response node_api::on_version() const {
  json::object versions;
  for (auto& [what, version] : view.versions)
    versions[what] = version;
  auto age = std::chrono::system_clock::now() - view.started_at;
  return json_response(json::object{
      {"node", view.name},
      {"versions", std::move(versions)},
      {"started_at", to_utc(view.started_at)},
      {"uptime_seconds",
       int64_t{
           std::chrono::duration_cast<std::chrono::seconds>(age).count()}}});
}

http_response no_answer() {
  return problem_response(
      503, "an actor of the node did not answer within 2 s",
      "ask again; if that does not help, look at fanout_mailbox_wait_seconds "
      "in /metrics");
}

http_response node_api::on_routing_stats(const http_request& request) const {
  auto top = top_of(request);
  if (!top)
    return problem_response(400, "top is no whole number from 1 to 100",
                            "ask for /debug/routing-stats?top=20");
  auto seen = view.inspect(*top);
  if (!seen)
    return no_answer();
  return json_response(routing_stats(*seen, *view.counts, *view.instances));
}

http_response node_api::on_routes(const http_request& request) const {
  auto i = request.query.find("channel");
  auto channels
      = i == request.query.end() ? std::nullopt : channels_of_query(i->second);
  if (!channels)
    return problem_response(400, "channel names no channels, or more than 100",
                            "ask for /debug/routes?channel=general,random");
  auto seen = view.inspect_routes(std::move(*channels));
  if (!seen)
    return no_answer();
  return json_response(channel_routes(*seen, *view.instances));
}

http_response node_api::on_latency(const http_request& request) {
  auto shown = request.has_flag("reset") ? window.restart() : window.current();
  if (request.has_flag("since_start"))
    shown = collect_latencies(*view.counts);
  return json_response(latency_report(shown));
}

std::string index_of(const std::vector<http_route>& routes) {
  size_t width = 0;
  for (auto& x : routes)
    width = std::max(width, x.path.size() + x.method.size() + 1);
  std::string result = "Fantail, admin API of a node\n\n";
  for (auto& x : routes) {
    auto head = x.method == "GET" ? x.path : x.method + " " + x.path;
    result += head + std::string(width + 2 - head.size(), ' ') + x.about + "\n";
  }
  return result;
}

} // namespace

std::vector<http_route> node_routes(node_view view,
                                    std::vector<http_route> more) {
  auto api = std::make_shared<node_api>(std::move(view));
  std::vector<http_route> result{
      {"GET", "/health", "is the node well, component by component",
       [api](const http_request&) {
         return api->on_health();
       }},
      {"GET", "/ready", "does the node do its work",
       [api](const http_request&) {
         return api->on_ready();
       }},
      {"GET", "/version", "what runs here, and since when",
       [api](const http_request&) {
         return api->on_version();
       }},
      {"GET", "/metrics", "everything the node counts, for Prometheus",
       [api](const http_request&) {
         return api->on_metrics();
       }},
      {"GET", "/debug/cache-stats",
       "offline users whose rows are kept, and the members stores behind them",
       [api](const http_request&) {
         return json_response(cache_stats(*api->view.counts));
       }},
      {"GET", "/debug/latency",
       "latencies in this window; ?reset=1 begins a new one and shows the one "
       "that ended, ?since_start=1 ignores it",
       [api](const http_request& x) {
         return api->on_latency(x);
       }},
      {"GET", "/debug/routing-stats",
       "what the routing tables hold; ?top=N names the N largest channels",
       [api](const http_request& x) { return api->on_routing_stats(x); }, true},
      {"GET", "/debug/routes",
       "?channel=a,b: where events of these channels would go",
       [api](const http_request& x) { return api->on_routes(x); }, true},
  };
  for (auto& x : profile_routes(*api->view.profiler))
    result.push_back(std::move(x));
  for (auto& x : more)
    result.push_back(std::move(x));
  result.push_back({"GET", "/", "this list", nullptr});
  result.back().handler = [text = index_of(result)](const http_request&) {
    return http_response{200, "text/plain; charset=utf-8", text};
  };
  return result;
}

} // namespace fantail
