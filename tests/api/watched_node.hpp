// SPDX-License-Identifier: MIT
#pragma once

#include "api/admin_api.hpp"
#include "bench/test_bed.hpp"
#include "runtime/http/http_routes.hpp"

#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace fantail::test {

struct letter {};

struct still_clock final : clock_port {
  time_point time{std::chrono::hours{1}};
  time_point now() const noexcept override { return time; }
};

/// Reports become events, as in a node.
struct told_reports final : report_port {
  explicit told_reports(event_log& x) : events(x) {}
  void report(severity level, std::string_view component,
              std::string_view event, fields details) override {
    events.add(level, component, event, details, 42);
  }
  event_log& events;
};

/// Does what a node would do to actors, as far as records show it.
struct noted_control final : actor_control_port {
  explicit noted_control(const actor_directory& x) : actors(x) {}

  control_result kill(std::string_view id, kill_mode mode,
                      duration hang_for) override {
    done.push_back("kill " + std::string{id} + " "
                   + std::to_string(static_cast<int>(mode)) + " "
                   + std::to_string(hang_for / std::chrono::milliseconds{1}));
    return control_result::done;
  }
  control_result suspend(std::string_view id) override {
    done.push_back("suspend " + std::string{id});
    actors.find(id)->is_suspended = true;
    return control_result::done;
  }
  control_result resume(std::string_view id) override {
    done.push_back("resume " + std::string{id});
    actors.find(id)->is_suspended = false;
    return control_result::done;
  }
  std::optional<json::object> describe(std::string_view, duration) override {
    return internals;
  }

  const actor_directory& actors;
  std::vector<std::string> done;
  std::optional<json::object> internals;
};

/// A node of three actors, `node` over `routing` over `routing/shard-0`, as the
/// API sees it.
struct watched_node {
  bench::scratch_directory directory{"fantail-test"};
  still_clock clock;
  telemetry::node counts{1, 1, 1};
  instance_directory instances;
  actor_directory actors;
  event_log events;
  told_reports reports{events};
  noted_control control{actors};
  node_watch watch{{&actors, &control, &counts, &instances, &clock, &reports}};
  std::optional<admin_token> token;
  audit_log audit{directory.path() + "/admin-audit.log"};
  std::vector<http_route> routes;

  watched_node() {
    add("node", "", "supervisor");
    add("routing", "node", "supervisor");
    add("routing/shard-0", "routing", "routing_shard");
    supervision_board::state board;
    board.strategy = supervision_strategy::one_for_all;
    board.intensity = {20, std::chrono::seconds{10}};
    board.recent_restarts = 2;
    supervision_board::child_row row;
    row.id = "shard-0";
    row.phase = supervisor_machine::child_phase::running;
    board.children.push_back(row);
    record("routing").board.write(board);
    token.emplace(std::get<admin_token>(
        admin_token::open(directory.path() + "/admin.token", true)));
    routes = admin_routes(view());
  }

  void add(const char* id, const char* supervisor, const char* kind) {
    auto x = std::make_shared<actor_record>();
    x->id = id;
    x->supervisor = supervisor;
    x->kind = kind;
    x->is_vacant = false;
    x->journal.add(actor_journal::kind::started, 5);
    actors.enter(x);
  }

  actor_record& record(std::string_view id) { return *actors.find(id); }

  admin_view view() {
    admin_view result;
    result.name = "n1";
    result.clock = &clock;
    result.counts = &counts;
    result.instances = &instances;
    result.actors = &actors;
    result.control = &control;
    result.watch = &watch;
    result.events = &events;
    result.reports = &reports;
    result.token = &*token;
    result.audit = &audit;
    result.health = [] {
      return std::vector<component_health>{};
    };
    result.inspect_instances = [] {
      return std::shared_ptr<inspection>{};
    };
    result.rank_channels = [](channel_order, size_t) {
      return std::optional<std::vector<shard_ranking>>{};
    };
    result.explain_route = [](const std::string&) {
      return std::optional<route_explanation>{};
    };
    result.explain_user = [](const std::string&) {
      return std::optional<user_explanation>{};
    };
    return result;
  }

  http_response ask(const std::string& method, const std::string& target,
                    const std::string& authorization = {}) {
    http_request request;
    request.method = method;
    request.peer = "127.0.0.1:5";
    request.user_agent = "test";
    request.authorization = authorization;
    parse_target(target, request);
    std::string allowed;
    auto* route = find_route(routes, request, allowed);
    return route ? call(*route, request) : no_route(request.path, allowed);
  }

  json::value get(const std::string& target, unsigned status = 200) {
    return body_of(ask("GET", target), status);
  }

  json::value post(const std::string& target, unsigned status = 200) {
    return body_of(ask("POST", target, "Bearer " + secret()), status);
  }

  /// Null if the status is another one.
  static json::value body_of(const http_response& x, unsigned status) {
    if (x.status != status)
      return {};
    return json::parse(x.body).value_or(json::value{});
  }

  std::string secret() const {
    std::ifstream file{token->path()};
    std::string result;
    std::getline(file, result);
    return result;
  }
};

} // namespace fantail::test
