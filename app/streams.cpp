// SPDX-License-Identifier: MIT
#include "app/streams.hpp"

#include "core/json.hpp"
#include "core/subject.hpp"
#include "runtime/nats/ownership.hpp"
#include "runtime/nats/snapshot_store.hpp"

#include <algorithm>

namespace fantail {

namespace {

// Shares of the store, in percent. Presence logs are trimmed behind the
// snapshots, of which there are three of each shard while one is written.
constexpr uint64_t chat_percent = 48;
constexpr uint64_t presence_percent = 24;
constexpr uint64_t routing_snapshots_percent = 20;
constexpr uint64_t presence_snapshots_percent = 4;
/// A snapshot holds a shard's state and not its traffic: 100 MB are 25 million
/// memberships, and there are three of them.
constexpr uint64_t snapshots_divisor = 4;
constexpr int64_t instances_bytes_max = 16 * 1024 * 1024;
constexpr int64_t dead_letters_bytes_max = 64 * 1024 * 1024;
constexpr const char* cluster_subject = "fantail.meta.cluster";

int64_t bound(uint64_t wanted, uint64_t capacity, uint64_t percent,
              uint16_t streams) {
  auto share = capacity / 100 * percent / streams;
  return static_cast<int64_t>(std::min(wanted, share));
}

} // namespace

nats::stream_config chat_stream(const node_config& config, uint16_t shard,
                                store_capacity capacity) {
  nats::stream_config result;
  result.name = subjects::shard_stream(shard);
  result.subjects = {subjects::shard_prefix(shard) + "*"};
  result.in_memory = config.nats.storage == "memory";
  result.bytes_max
      = bound(config.nats.stream_bytes_max,
              result.in_memory ? capacity.memory : capacity.disk,
              result.in_memory ? 96 : chat_percent, config.cluster.shards);
  result.age_max = config.nats.retention;
  result.duplicate_window = config.nats.duplicate_window;
  return result;
}

nats::stream_config presence_stream(const node_config& config, uint16_t shard,
                                    store_capacity capacity) {
  nats::stream_config result;
  result.name = subjects::presence_stream(shard);
  result.subjects = {subjects::presence_prefix(shard) + "*"};
  result.bytes_max = bound(config.nats.stream_bytes_max, capacity.disk,
                           presence_percent, config.cluster.presence_shards);
  result.duplicate_window = config.nats.duplicate_window;
  return result;
}

nats::stream_config snapshot_stream(const node_config& config,
                                    snapshot_source of,
                                    store_capacity capacity) {
  auto is_presence = of.what == snapshot_source::kind::presence;
  nats::stream_config result;
  result.name = nats::snapshot_stream_name(of);
  result.subjects = {nats::snapshot_subject(of)};
  result.allow_direct = true;
  result.bytes_max = bound(
      config.nats.stream_bytes_max / snapshots_divisor, capacity.disk,
      is_presence ? presence_snapshots_percent : routing_snapshots_percent,
      is_presence ? config.cluster.presence_shards : config.cluster.shards);
  return result;
}

nats::stream_config instances_stream() {
  nats::stream_config result;
  result.name = subjects::instances_stream;
  result.subjects = {std::string{subjects::instance_register} + "*"};
  result.messages_per_subject = 1;
  result.bytes_max = instances_bytes_max;
  return result;
}

nats::stream_config dead_letters_stream() {
  nats::stream_config result;
  result.name = subjects::dead_stream;
  result.subjects = {std::string{subjects::dead} + ">"};
  result.bytes_max = dead_letters_bytes_max;
  result.refuse_when_full = false;
  return result;
}

std::optional<std::string>
ensure_streams(nats::connection& via,
               const std::vector<nats::stream_config>& streams,
               std::vector<std::string>& created) {
  for (auto& config : streams) {
    auto outcome = nats::wait_for<nats::stream_ensured>(
        [&](auto done) { nats::ensure_stream(via, config, done); });
    if (auto* error = std::get_if<nats::api_error>(&outcome))
      return "stream " + config.name + " cannot be created: " + error->text
             + ". Is JetStream enabled on the server, with room for "
             + std::to_string(config.bytes_max >> 20)
             + " MiB (nats.stream-bytes-max)?";
    if (std::get<0>(outcome).was_created)
      created.push_back(config.name);
  }
  return std::nullopt;
}

bool is_mapped(nats::connection& via, std::string_view prefix) {
  // A stream that does not have the expected name answers with a refusal;
  // without the mapping nobody answers.
  auto subject = std::string{prefix} + "mapping-probe";
  return via
      .request_wait(subject, "{}", std::chrono::seconds{2},
                    "NATS/1.0\r\nNats-Expected-Stream: none\r\n\r\n")
      .has_value();
}

std::optional<std::string> check_cluster(nats::connection& via,
                                         const node_config& config) {
  auto stored
      = nats::wait_for<std::optional<nats::stored_message>>([&](auto done) {
          nats::read_last(via, std::string{subjects::meta_stream},
                          cluster_subject, done);
        });
  if (auto* error = std::get_if<nats::api_error>(&stored))
    return "the cluster record cannot be read: " + error->text;
  auto& record = std::get<0>(stored);
  auto known = record ? json::parse(record->body) : std::nullopt;
  if (!known) {
    json::object fresh{{"name", config.cluster.name},
                       {"shards", config.cluster.shards},
                       {"presence_shards", config.cluster.presence_shards}};
    auto answer = via.request_wait(cluster_subject, json::serialize(fresh),
                                   std::chrono::seconds{5});
    if (!answer || nats::parse_publish_ack(*answer).error)
      return "the cluster record cannot be written";
    return std::nullopt;
  }
  auto differs = [&](std::string_view key, int64_t wanted) {
    return known->int_or(key, wanted) != wanted;
  };
  if (differs("shards", config.cluster.shards)
      || differs("presence_shards", config.cluster.presence_shards))
    return "the cluster on this server was made with cluster.shards = "
           + std::to_string(known->int_or("shards", 0))
           + " and cluster.presence-shards = "
           + std::to_string(known->int_or("presence_shards", 0))
           + "; these numbers are fixed. Set them so, or use another server "
             "or state directory";
  return std::nullopt;
}

} // namespace fantail
