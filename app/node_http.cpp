// SPDX-License-Identifier: MIT
#include "app/node_http.hpp"

#include "api/node_api.hpp"
#include "app/node_parts.hpp"

#include <caf/config.hpp>

namespace fantail {

namespace {

using condition = component_health::condition;

std::string caf_version() {
  return std::to_string(CAF_MAJOR_VERSION) + "."
         + std::to_string(CAF_MINOR_VERSION) + "."
         + std::to_string(CAF_PATCH_VERSION);
}

component_health component(std::string name, condition status,
                           std::string detail = {}) {
  component_health result;
  result.name = std::move(name);
  result.status = status;
  result.detail = std::move(detail);
  return result;
}

component_health link_health(std::string name, bool is_up) {
  return component(std::move(name), is_up ? condition::ok : condition::failing,
                   is_up ? "" : "not connected, trying again");
}

std::vector<component_health> components_of(node_parts& parts, bool is_ready) {
  std::vector<component_health> result;
  auto has_storage = !parts.server || parts.server->is_up();
  result.push_back(
      component("storage", has_storage ? condition::ok : condition::failing,
                parts.server ? "private nats-server " + parts.server->version()
                             : "server at " + parts.nats_url()));
  result.push_back(link_health("nats-control", parts.control->on().is_up()));
  result.push_back(link_health("nats-ingest", parts.ingest->on().is_up()));
  result.push_back(link_health("nats-members", parts.members->on().is_up()));
  for (size_t i = 0; i < parts.links.size(); ++i)
    result.push_back(link_health("nats-egress-" + std::to_string(i),
                                 parts.links[i]->is_up()));
  auto waits = is_ready ? "" : "presence logs are being replayed";
  auto status = is_ready ? condition::ok : condition::starting;
  result.push_back(component("presence", status, waits));
  result.push_back(
      component("routing", status, is_ready ? "" : "waits for presence"));
  return result;
}

} // namespace

std::vector<component_health>
health_board::update(std::vector<component_health> now) {
  std::lock_guard guard{mutex_};
  for (auto& x : now) {
    auto& known = last_[x.name];
    if (known.name.empty() || known.status != x.status)
      x.since = std::chrono::system_clock::now();
    else
      x.since = known.since;
    known = x;
  }
  return now;
}

std::optional<start_failure> node_parts::http_up(
    std::function<std::shared_ptr<inspection>(size_t)> inspect,
    std::function<std::shared_ptr<route_inspection>(std::vector<std::string>)>
        inspect_routes,
    std::function<bool()> is_ready) {
  http_ = std::make_unique<http_parts>();
  node_view view;
  view.name = config.node.name;
  view.versions = {{"fantail", FANTAIL_VERSION},
                   {"nats-server", server_version()},
                   {"caf", caf_version()}};
  view.started_at = std::chrono::system_clock::now();
  view.counts = &counts;
  view.instances = &instances;
  view.inspect = std::move(inspect);
  view.profiler = &http_->profiler;
  view.inspect_routes = std::move(inspect_routes);
  view.health = [this, is_ready = std::move(is_ready)] {
    return http_->health.update(components_of(*this, is_ready()));
  };
  http_server_config settings;
  settings.address = config.http.address;
  settings.port = config.http.port;
  auto started = http_server::start(settings, node_routes(std::move(view)));
  if (auto* why = std::get_if<std::string>(&started))
    return start_failure{1, *why};
  http_->server = std::move(std::get<0>(started));
  return std::nullopt;
}

void node_parts::http_down() {
  if (!http_ || !http_->server)
    return;
  http_->profiler.cancel();
  http_->server->stop();
}

std::string node_parts::http_url() const {
  auto port = http_ && http_->server ? http_->server->port() : 0;
  return "http://" + config.http.address + ":" + std::to_string(port);
}

} // namespace fantail
