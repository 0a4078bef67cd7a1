// SPDX-License-Identifier: MIT
#pragma once

#include "actors/environment.hpp"
#include "actors/partitioner.hpp"
#include "app/node.hpp"
#include "app/streams.hpp"
#include "core/inspection/actor_directory.hpp"
#include "core/inspection/event_log.hpp"
#include "core/supervision/restart_budget.hpp"
#include "messages/inspection.hpp"
#include "runtime/boot/embedded_server.hpp"
#include "runtime/nats/control_link.hpp"
#include "runtime/nats/egress_link.hpp"
#include "runtime/nats/log_reader.hpp"
#include "runtime/nats/member_store.hpp"
#include "runtime/nats/ownership.hpp"
#include "runtime/nats/range_reader.hpp"
#include "runtime/nats/shard_writer.hpp"
#include "runtime/nats/snapshot_store.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// Ends the process at once, saying why.
[[noreturn]] void give_up(const char* reason);

class system_clock final : public clock_port {
public:
  time_point now() const noexcept override {
    return std::chrono::steady_clock::now();
  }
};

/// Reports go to the log, and to those who watch the node.
class log_reports final : public report_port {
public:
  explicit log_reports(event_log& events) : events_(events) {}

  void report(severity level, std::string_view component,
              std::string_view event, fields details) override;

private:
  event_log& events_;
};

struct http_parts;
struct http_sources;

/// What a node is made of besides actors: the server it may have started, its
/// links to NATS, its streams, its HTTP interface. Members stand in the order
/// in which they need each other.
class node_parts {
public:
  explicit node_parts(const node_config& config);
  ~node_parts();

  /// Starts or finds the server and connects to it.
  std::optional<start_failure> connect(duration timeout);
  std::optional<start_failure> prepare_streams();

  /// Takes a shard over from its last owner: a new epoch, and where to go on.
  std::variant<nats::shard_checkpoint, start_failure> take_over(shard_id shard);

  nats::log_spec chat_log(uint16_t shard) const;
  nats::log_spec presence_log(uint16_t shard) const;
  nats::log_spec instances_log() const;
  nats::log_spec source_log(const pool_source& source) const;
  log_reader_port& add_reader(nats::log_spec spec);

  /// What the stream of a presence log holds.
  uint64_t presence_log_bytes_max() const;

  /// Everything that was routed is settled.
  bool all_settled() const;

  std::optional<start_failure> http_up(const http_sources& from);
  void http_down();
  void stop_links();
  void stop_server();

  std::string nats_url() const;
  std::string http_url() const;
  std::string server_version() const;

  const node_config& config;
  /// Names this life of the node.
  std::string incarnation;
  system_clock clock;
  event_log events;
  log_reports reports{events};
  telemetry::node counts;
  instance_directory instances;
  actor_directory actors;
  environment env;

  std::unique_ptr<embedded_server> server;
  std::optional<nats::event_loop> loop;
  std::unique_ptr<nats::control_link> control;
  std::vector<std::unique_ptr<nats::egress_link>> links;
  std::unique_ptr<nats::range_reader> ranges;
  std::unique_ptr<nats::snapshot_store> snapshots;
  std::unique_ptr<nats::member_store> members;
  std::unique_ptr<nats::ingest_link> ingest;
  std::vector<std::unique_ptr<nats::log_reader>> readers;
  std::vector<std::unique_ptr<nats::shard_writer>> writers;

  /// A stream that is republished, and from where on.
  struct opened_source {
    pool_source what;
    nats::source_checkpoint from;
  };
  std::vector<opened_source> sources;

  /// What republishes `x`, with a writer of its own.
  partitioner_deps partitioner_for(const opened_source& x);

private:
  shard_writer_port& add_writer(const pool_source& source);
  std::optional<start_failure> choose_source(const std::string& name,
                                             std::string_view prefix);
  nats::connect_options options_for(const std::string& role);
  void on_handler_failed(const std::string& role, const std::string& reason);
  std::optional<start_failure> start_server();

  store_capacity capacity_;
  /// Failures of NATS handlers. Guarded by the mutex.
  std::mutex mutex_;
  restart_budget link_failures_{{10, std::chrono::seconds{60}}};
  std::unique_ptr<http_parts> http_;
};

} // namespace fantail
