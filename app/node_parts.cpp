// SPDX-License-Identifier: MIT
#include "app/node_parts.hpp"

#include "app/node_http.hpp"
#include "core/subject.hpp"
#include "messages/wall_clock.hpp"
#include "runtime/boot/logging.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>

namespace fantail {

namespace {

constexpr int exit_unreachable = 4;

std::string new_incarnation() {
  constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::random_device source;
  std::string result;
  for (int i = 0; i < 10; ++i)
    result += alphabet[source() % alphabet.size()];
  return result;
}

} // namespace

void give_up(const char* reason) {
  std::fprintf(stderr, "fantail: %s\n", reason);
  std::_Exit(1);
}

void log_reports::report(severity level, std::string_view component,
                         std::string_view event, fields details) {
  std::vector<log_field> named;
  for (auto& [name, value] : details)
    named.emplace_back(name, value);
  auto to = log_level::info;
  switch (level) {
  case severity::debug:
    to = log_level::debug;
    break;
  case severity::info:
    break;
  case severity::warning:
    to = log_level::warn;
    break;
  case severity::error:
    to = log_level::error;
    break;
  }
  log_event(to, component, event, named);
  events_.add(level, component, event, details, unix_now_ns());
}

node_parts::node_parts(const node_config& c)
    : config(c), incarnation(new_incarnation()),
      counts(c.cluster.shards, c.cluster.presence_shards,
             c.egress.connections) {
  env.clock = &clock;
  env.reports = &reports;
  env.counts = &counts;
  env.instances = &instances;
}

node_parts::~node_parts() {
  stop_links();
}

std::optional<start_failure> node_parts::start_server() {
  embedded_server_config settings;
  settings.program = config.nats.server;
  settings.state_directory = config.node.state_directory;
  settings.port = config.nats.port;
  settings.shards = config.cluster.shards;
  settings.presence_shards = config.cluster.presence_shards;
  settings.store_bytes_max = config.nats.store_bytes_max;
  embedded_server_handlers on;
  on.on_down = [this](const std::string& reason) {
    reports.warn("storage", "nats-server-down", {{"reason", reason}});
    counts.events.add("storage/nats-server-down");
  };
  on.on_retry = [this](const std::string& reason) {
    reports.warn("storage", "nats-server-retry", {{"reason", reason}});
  };
  on.on_up = [this](duration outage) {
    reports.info("storage", "nats-server-up",
                 {{"outage_ms", std::to_string(outage / 1ms)}});
  };
  auto started = embedded_server::start(settings, on);
  if (auto* why = std::get_if<std::string>(&started))
    return start_failure{exit_unreachable, *why};
  server = std::move(std::get<0>(started));
  capacity_ = {server->store_bytes(), server->memory_bytes()};
  reports.info("storage", "nats-server-started",
               {{"url", server->url()}, {"version", server->version()}});
  return std::nullopt;
}

/// A connection is a child, too: it begins anew, and if that does not help, the
/// process does.
void node_parts::on_handler_failed(const std::string& role,
                                   const std::string& reason) {
  counts.events.add("nats/handler-failed");
  reports.error("nats", "handler-failed", {{"link", role}, {"reason", reason}});
  std::lock_guard guard{mutex_};
  if (!link_failures_.spend(clock.now()))
    give_up("handlers of NATS messages fail again and again");
}

nats::connect_options node_parts::options_for(const std::string& role) {
  nats::connect_options result;
  result.url = nats_url();
  result.name = "fantail-" + config.node.name + "-" + role;
  result.credentials = config.nats.credentials;
  result.tls.enabled = config.nats.tls.enabled;
  result.tls.authority = config.nats.tls.authority;
  result.tls.certificate = config.nats.tls.certificate;
  result.tls.key = config.nats.tls.key;
  result.on_handler_failed = [this, role](const std::string& reason) {
    on_handler_failed(role, reason);
  };
  return result;
}

std::optional<start_failure> node_parts::connect(duration timeout) {
  if (config.nats.url.empty())
    if (auto problem = start_server())
      return problem;
  loop.emplace("fantail-nats");
  control = std::make_unique<nats::control_link>(
      *loop, options_for("control"), config.node.name + "/" + incarnation,
      reports, counts);
  env.control = control.get();
  control->start();
  if (!control->on().wait_up(timeout))
    return start_failure{
        exit_unreachable,
        "no NATS server answers at " + nats_url()
            + "; check nats.url, nats.credentials and nats.tls, "
              "or leave nats.url empty to start a private one"};
  if (control->on().payload_bytes_max() < limits::payload_bytes_max)
    return start_failure{
        exit_unreachable,
        "the NATS server at " + nats_url()
            + " has max_payload below 1 MiB; set it to 1MB or more"};
  for (uint16_t i = 0; i < config.egress.connections; ++i)
    links.push_back(std::make_unique<nats::egress_link>(
        *loop, options_for("egress-" + std::to_string(i))));
  ranges = std::make_unique<nats::range_reader>(control->on(), incarnation);
  members = std::make_unique<nats::member_store>(*loop, options_for("members"),
                                                 incarnation);
  members->start();
  ingest = std::make_unique<nats::ingest_link>(options_for("ingest"));
  snapshots = std::make_unique<nats::snapshot_store>(
      *loop, options_for("snapshots"), reports);
  if (!snapshots->start(timeout))
    return start_failure{exit_unreachable, "the NATS server at " + nats_url()
                                               + " takes no more connections"};
  return std::nullopt;
}

std::optional<start_failure> node_parts::prepare_streams() {
  std::vector<nats::stream_config> streams{
      nats::meta_stream(false), instances_stream(), dead_letters_stream()};
  for (uint16_t i = 0; i < config.cluster.presence_shards; ++i)
    for (auto& x :
         {presence_stream(config, i, capacity_),
          members_stream(config, i, capacity_),
          snapshot_stream(config, source_of(presence_shard_id{i}), capacity_)})
      streams.push_back(x);
  for (uint16_t i = 0; i < config.cluster.shards; ++i)
    for (auto& x : {chat_stream(config, i, capacity_),
                    snapshot_stream(config, source_of(shard_id{i}), capacity_)})
      streams.push_back(x);
  std::vector<std::string> created;
  // The cluster record decides how many streams there have to be, so it is
  // read before any of them is made.
  if (auto why = ensure_streams(control->on(), {streams.front()}, created))
    return start_failure{exit_unreachable, *why};
  if (auto why = check_cluster(control->on(), config))
    return start_failure{3, *why};
  if (auto why = ensure_streams(control->on(), streams, created))
    return start_failure{exit_unreachable, *why};
  for (auto& name : created)
    reports.info("storage", "stream-created", {{"stream", name}});
  for (auto [name, prefix] : {std::pair{"chat", subjects::chat_input},
                              std::pair{"presence", subjects::presence_input}})
    if (auto problem = choose_source(name, prefix))
      return problem;
  return std::nullopt;
}

std::optional<start_failure>
node_parts::choose_source(const std::string& name, std::string_view prefix) {
  auto& via = control->on();
  auto chosen = choose_input(via, config, name, prefix);
  if (auto* problem = std::get_if<std::string>(&chosen))
    return start_failure{3, *problem};
  auto& source = std::get<0>(chosen);
  if (!source) {
    if (config.nats.input == "mapped" && !is_mapped(via, prefix))
      reports.warn("storage", "subjects-not-mapped",
                   {{"subject", std::string{prefix} + "*"},
                    {"what_to_do", "set nats.input to auto or pool, or add the "
                                   "mapping of docs/OPERATIONS.md"}});
    return std::nullopt;
  }
  std::vector<std::string> created;
  if (source->is_own)
    if (auto why = ensure_streams(via, {source->stream}, created))
      return start_failure{exit_unreachable, *why};
  auto from = nats::wait_for<nats::source_checkpoint>(
      [&](auto done) { nats::read_source_checkpoint(via, name, done); });
  auto state = nats::wait_for<nats::stream_state>([&](auto done) {
    nats::read_stream_state(via, source->stream.name, done);
  });
  if (from.index() == 1 || state.index() == 1)
    return start_failure{exit_unreachable, "the stream " + source->stream.name
                                               + " cannot be read"};
  reports.info("storage", "input-republished",
               {{"subject", std::string{prefix} + "*"},
                {"stream", source->stream.name}});
  auto& begin = std::get<nats::source_checkpoint>(from);
  auto& now = std::get<nats::stream_state>(state);
  if (begin.created_at.empty()) {
    // Chat events from before Fantail came are history; presence is state.
    begin.created_at = now.created_at;
    begin.republished = position{name == "chat" ? now.last : 0};
    nats::write_source_checkpoint(via, name, begin);
  }
  sources.push_back({std::move(*source), begin});
  return std::nullopt;
}

std::variant<nats::shard_checkpoint, start_failure>
node_parts::take_over(shard_id shard) {
  auto& via = control->on();
  auto stored = nats::wait_for<nats::shard_checkpoint>(
      [&](auto done) { nats::read_checkpoint(via, shard, done); });
  if (auto* error = std::get_if<nats::api_error>(&stored))
    return start_failure{exit_unreachable,
                         "the checkpoint of shard "
                             + std::to_string(shard.value)
                             + " cannot be read: " + error->text};
  auto result = std::get<0>(std::move(stored));
  auto claimed = nats::wait_for<fantail::epoch>([&](auto done) {
    nats::claim_epoch(via, shard, result.owner, incarnation, done);
  });
  if (auto* error = std::get_if<nats::api_error>(&claimed))
    return start_failure{exit_unreachable,
                         "shard " + std::to_string(shard.value)
                             + " cannot be claimed: " + error->text};
  result.owner = std::get<fantail::epoch>(claimed);
  control->own(shard, result.owner);
  return result;
}

nats::log_spec node_parts::chat_log(uint16_t shard) const {
  return {chat_stream(config, shard, capacity_), subjects::shard_prefix(shard),
          shard_id{shard}, incarnation, "chat"};
}

nats::log_spec node_parts::presence_log(uint16_t shard) const {
  return {presence_stream(config, shard, capacity_),
          subjects::presence_prefix(shard), shard_id{shard}, incarnation,
          "presence"};
}

nats::log_spec node_parts::instances_log() const {
  return {instances_stream(), std::string{subjects::instance_register},
          shard_id{0}, incarnation, "register"};
}

nats::log_spec node_parts::source_log(const pool_source& source) const {
  return {source.stream, std::string{source.prefix},
          shard_id{0},   incarnation,
          source.name,   source.filter};
}

shard_writer_port& node_parts::add_writer(const pool_source& source) {
  auto stream_of = source.name == "chat" ? subjects::shard_stream
                                         : subjects::presence_stream;
  writers.push_back(std::make_unique<nats::shard_writer>(
      options_for("pool-" + source.name), stream_of));
  return *writers.back();
}

partitioner_deps node_parts::partitioner_for(const opened_source& x) {
  auto is_chat = x.what.name == "chat";
  partitioner_deps result;
  result.env = env;
  result.source = x.what.name;
  result.stream = x.what.stream.name;
  result.is_own = x.what.is_own;
  result.is_unmixed = x.what.filter.empty();
  result.shards
      = is_chat ? config.cluster.shards : config.cluster.presence_shards;
  result.writer = &add_writer(x.what);
  result.prefix_of
      = is_chat ? subjects::shard_prefix : subjects::presence_prefix;
  result.republished = x.from.republished;
  result.created_at = x.from.created_at;
  return result;
}

log_reader_port& node_parts::add_reader(nats::log_spec spec) {
  readers.push_back(
      std::make_unique<nats::log_reader>(*ingest, std::move(spec), *control));
  return *readers.back();
}

uint64_t node_parts::presence_log_bytes_max() const {
  return static_cast<uint64_t>(presence_stream(config, 0, capacity_).bytes_max);
}

bool node_parts::all_settled() const {
  for (auto& shard : counts.shard)
    if (shard.settled_to.get() < shard.routed_to.get())
      return false;
  return true;
}

void node_parts::stop_links() {
  readers.clear();
  ingest.reset();
  for (auto& link : links)
    link->stop();
  ranges.reset();
  if (snapshots)
    snapshots->stop();
  if (members)
    members->stop();
  if (control)
    control->stop();
}

void node_parts::stop_server() {
  // The actors that write through them are gone now.
  writers.clear();
  server.reset();
}

std::string node_parts::nats_url() const {
  return server ? server->url() : config.nats.url;
}

std::string node_parts::server_version() const {
  return server ? server->version() : "external";
}

} // namespace fantail
