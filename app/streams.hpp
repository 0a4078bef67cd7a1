// SPDX-License-Identifier: MIT
#pragma once

#include "core/snapshot/snapshot_codec.hpp"
#include "runtime/boot/node_config.hpp"
#include "runtime/nats/jetstream.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fantail {

/// The streams of a node, with the bounds the configuration sets. `capacity`
/// is what the server may store on disk and in memory; every stream reserves
/// its bound, so their sum has to stay below.
struct store_capacity {
  uint64_t disk = UINT64_MAX;
  uint64_t memory = UINT64_MAX;
};

nats::stream_config chat_stream(const node_config& config, uint16_t shard,
                                store_capacity capacity);
nats::stream_config presence_stream(const node_config& config, uint16_t shard,
                                    store_capacity capacity);
nats::stream_config snapshot_stream(const node_config& config,
                                    snapshot_source of,
                                    store_capacity capacity);
nats::stream_config members_stream(const node_config& config, uint16_t shard,
                                   store_capacity capacity);
nats::stream_config instances_stream();
nats::stream_config dead_letters_stream();

/// Creates what is missing, and reports what it created. Returns what is
/// wrong, in words for the user.
std::optional<std::string>
ensure_streams(nats::connection& via,
               const std::vector<nats::stream_config>& streams,
               std::vector<std::string>& created);

/// Whether the server maps `prefix` + "*" to the shards (docs/PROTOCOL.md);
/// asks without storing anything.
bool is_mapped(nats::connection& via, std::string_view prefix);

/// A stream whose records are republished into the shards.
struct pool_source {
  /// "chat" or "presence".
  std::string name;
  /// What the subjects of its records begin with.
  std::string_view prefix;
  nats::stream_config stream;
  /// Nobody else's: made because nobody kept the subject.
  bool is_own = false;
  /// The subject to read, if the stream keeps others, too.
  std::string filter;
};

/// Decides how the records of `prefix` + "*" reach the shards: nothing = by
/// the server's mapping, or the stream to republish. A string says what is
/// wrong, for the user.
std::variant<std::optional<pool_source>, std::string>
choose_input(nats::connection& via, const node_config& config,
             const std::string& name, std::string_view prefix);

/// The number of shards is fixed when a cluster is made. Remembers it there,
/// or returns what is wrong if the configuration says something else.
std::optional<std::string> check_cluster(nats::connection& via,
                                         const node_config& config);

} // namespace fantail
