// SPDX-License-Identifier: MIT
#include "app/node_http.hpp"

#include "api/admin_api.hpp"
#include "api/node_api.hpp"
#include "app/node_parts.hpp"
#include "app/node_tree.hpp"

#include <caf/config.hpp>

#include <filesystem>
#include <utility>

namespace fantail {

namespace {

using condition = component_health::condition;

constexpr int exit_refused = 3;

std::string caf_version() {
  return std::to_string(CAF_MAJOR_VERSION) + "."
         + std::to_string(CAF_MINOR_VERSION) + "."
         + std::to_string(CAF_PATCH_VERSION);
}

component_health health_of(std::string name, condition status,
                           std::string detail = {}) {
  component_health result;
  result.name = std::move(name);
  result.status = status;
  result.detail = std::move(detail);
  return result;
}

component_health link_health(std::string name, bool is_up) {
  return health_of(std::move(name), is_up ? condition::ok : condition::failing,
                   is_up ? "" : "not connected, trying again");
}

std::vector<component_health> components_of(node_parts& parts, bool is_ready) {
  std::vector<component_health> result;
  auto has_storage = !parts.server || parts.server->is_up();
  result.push_back(
      health_of("storage", has_storage ? condition::ok : condition::failing,
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
  result.push_back(health_of("presence", status, waits));
  result.push_back(
      health_of("routing", status, is_ready ? "" : "waits for presence"));
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

namespace {

/// Where the token is, and whether it may be made there.
std::variant<admin_token, start_failure> open_token(const node_config& config) {
  auto& chosen = config.admin.token_file;
  std::error_code ignored;
  std::filesystem::create_directories(config.node.state_directory, ignored);
  auto path
      = chosen.empty() ? config.node.state_directory + "/admin.token" : chosen;
  auto opened = admin_token::open(path, chosen.empty());
  if (auto* why = std::get_if<std::string>(&opened))
    return start_failure{chosen.empty() ? 1 : exit_refused, *why};
  return std::get<admin_token>(std::move(opened));
}

node_view debug_view(node_parts& parts, http_parts& http,
                     const http_sources& from) {
  node_view view;
  view.name = parts.config.node.name;
  view.versions = {{"fantail", FANTAIL_VERSION},
                   {"nats-server", parts.server_version()},
                   {"caf", caf_version()}};
  view.started_at = std::chrono::system_clock::now();
  view.counts = &parts.counts;
  view.instances = &parts.instances;
  view.profiler = &http.profiler;
  view.inspect = [tree = from.tree](size_t top) {
    return tree->inspect(top);
  };
  view.inspect_routes = [tree = from.tree](std::vector<std::string> channels) {
    return tree->inspect_routes_of(std::move(channels));
  };
  view.health = [&parts, &http, is_ready = from.is_ready] {
    return http.health.update(components_of(parts, is_ready()));
  };
  return view;
}

admin_view admin_view_of(const node_view& debug, node_parts& parts,
                         http_parts& http, node_tree* tree) {
  admin_view view;
  view.name = debug.name;
  view.incarnation = parts.incarnation;
  view.versions = debug.versions;
  view.started_at = debug.started_at;
  view.nats_url = parts.nats_url();
  view.memory_limit = parts.config.node.memory_limit;
  view.clock = &parts.clock;
  view.counts = &parts.counts;
  view.instances = &parts.instances;
  view.actors = &parts.actors;
  view.control = &tree->control();
  view.watch = &*http.watch;
  view.events = &parts.events;
  view.reports = &parts.reports;
  view.token = &*http.token;
  view.audit = &*http.audit;
  view.health = debug.health;
  view.inspect_instances = [tree] {
    return tree->inspect_instances();
  };
  view.rank_channels = [tree](channel_order order, size_t top) {
    return tree->rank_channels(order, top);
  };
  view.explain_route = [tree](const std::string& channel) {
    return tree->explain_route_of(channel);
  };
  view.explain_user = [tree](const std::string& user) {
    return tree->explain_user_of(user);
  };
  return view;
}

} // namespace

std::optional<start_failure> node_parts::http_up(const http_sources& from) {
  http_ = std::make_unique<http_parts>();
  auto token = open_token(config);
  if (auto* problem = std::get_if<start_failure>(&token))
    return *problem;
  http_->token.emplace(std::get<admin_token>(std::move(token)));
  if (http_->token->is_readable_by_others())
    reports.warn("admin", "token-readable",
                 {{"file", http_->token->path()},
                  {"what_to_do", "chmod 600, and write another token"}});
  http_->audit.emplace(config.node.state_directory + "/admin-audit.log");
  http_->watch.emplace(node_watch::subject{
      &actors, &from.tree->control(), &counts, &instances, &clock, &reports});
  http_->watch->start();
  http_server_config settings;
  settings.address = config.http.address;
  settings.port = config.http.port;
  auto view = debug_view(*this, *http_, from);
  auto routes = admin_routes(admin_view_of(view, *this, *http_, from.tree));
  auto started = http_server::start(
      settings, node_routes(std::move(view), std::move(routes)));
  if (auto* why = std::get_if<std::string>(&started))
    return start_failure{1, *why};
  http_->server = std::move(std::get<0>(started));
  return std::nullopt;
}

void node_parts::http_down() {
  if (!http_)
    return;
  http_->profiler.cancel();
  if (http_->server)
    http_->server->stop();
  if (http_->watch)
    http_->watch->stop();
}

std::string node_parts::http_url() const {
  auto port = http_ && http_->server ? http_->server->port() : 0;
  return "http://" + config.http.address + ":" + std::to_string(port);
}

} // namespace fantail
