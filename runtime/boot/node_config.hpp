// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/limits.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace caf {
class actor_system_config;
} // namespace caf

namespace fantail {

using namespace std::chrono_literals;

/// Everything a user may set, with its default. The member for the key
/// `presence.heartbeat-interval` is `presence.heartbeat_interval`; meaning,
/// unit and range of a key are said once, in the table of config_keys.cpp.
struct node_config {
  struct {
    std::string name = "n1";
    std::string state_directory = "fantail-state";
    uint64_t memory_limit = limits::memory_limit_default;
  } node;

  struct {
    std::string name = "fantail";
    uint16_t shards = limits::shards_default;
    uint16_t presence_shards = limits::presence_shards_default;
  } cluster;

  struct {
    std::string url;
    std::string server = "nats-server";
    uint16_t port = 0;
    std::string credentials;
    struct {
      bool enabled = false;
      std::string authority;
      std::string certificate;
      std::string key;
    } tls;
    std::string input = "auto";
    std::string storage = "file";
    // Ten minutes of 50,000 events/s of 300 B in 8 shards, and as much for
    // presence.
    uint64_t store_bytes_max = 40ull << 30;
    uint64_t stream_bytes_max = 2ull << 30;
    duration retention = 10min;
    duration duplicate_window = 2min;
  } nats;

  struct {
    uint32_t pull_events = limits::pull_events_default;
    uint64_t unsettled_bytes = limits::unsettled_bytes_default;
  } routing;

  struct {
    duration ttl = limits::presence_ttl_default;
    duration heartbeat_interval = 5s;
    uint64_t snapshot_records = limits::snapshot_records_default;
    uint64_t snapshot_bytes = limits::snapshot_bytes_default;
    duration snapshot_interval = limits::snapshot_interval_default;
    duration watch_lease = limits::watch_lease_default;
    duration watch_interval = limits::watch_interval_default;
    uint64_t cache_memberships = limits::cache_memberships_default;
    uint64_t dirty_bytes = limits::dirty_bytes_default;
  } presence;

  struct {
    uint64_t bytes = limits::outbox_bytes_default;
    uint64_t events = limits::outbox_events_default;
    uint64_t window_bytes = limits::window_bytes_default;
    uint64_t frame_bytes = limits::frame_bytes_default;
  } outbox;

  struct {
    uint16_t connections = 1;
  } egress;

  struct {
    std::string address = "127.0.0.1";
    uint16_t port = 7480;
  } http;

  struct {
    std::string token_file;
  } admin;

  struct {
    std::string level = "info";
    std::string format = "text";
  } log;

  struct {
    std::string policy = "sharing";
    uint16_t max_threads = 0;
    uint32_t max_throughput = 50;
  } scheduler;

  struct {
    duration heartbeat_interval = 500ms;
    duration connection_timeout = 2s;
  } middleman;
};

/// Something in a configuration that Fantail refuses. Rendered as
/// `<origin>: <key> = <value>: <what>`; parts that are empty are left out.
struct config_problem {
  /// The file, or "--set".
  std::string origin;
  std::string key;
  std::string value;
  /// What is wrong and what is allowed.
  std::string what;
};

std::string to_string(const config_problem& x);

/// What a configuration file may not exceed; ours has 5 KiB.
inline constexpr size_t config_file_bytes_max = 1024 * 1024;

/// Reads `path` in the grammar of CAF 0.17 and then applies `overrides`, each
/// `key=value`. Every key, value and combination is checked, and all problems
/// are returned, not only the first. An empty path means: defaults only.
std::variant<node_config, std::vector<config_problem>>
load(const std::string& path, const std::vector<std::string>& overrides = {});

/// The checks that need more than one key; `load` includes them.
std::vector<config_problem> check_combinations(const node_config& config);

/// The configuration as a file that `load` reads, every key with its
/// documentation. The caf-application.conf of the repository is
/// `render(node_config{})`.
std::string render(const node_config& config);

/// The keys as a Markdown table, for docs/OPERATIONS.md.
std::string render_table();

/// Hands the sections `scheduler` and `middleman` to CAF and reads them back,
/// since CAF ignores what it does not like. Returns the key it did not take.
std::optional<std::string> apply(const node_config& config,
                                 caf::actor_system_config& system);

} // namespace fantail
