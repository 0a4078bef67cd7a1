// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "runtime/nats/jetstream.hpp"

#include <functional>
#include <string>

/// Durable facts about shards, in the stream FANTAIL_META:
///
///     fantail.meta.shard.3.settled    {"epoch":7,"settled":1041,...}
///     fantail.meta.shard.3.epoch.7    {"node":"n1","incarnation":"..."}
///     fantail.meta.source.chat        {"republished":1041,...}
///
/// An epoch is a subject that is only ever *created*: updating a key is not
/// atomic on replicated streams of servers before 2.9.21, creating one is. The
/// highest epoch owns the shard.
namespace fantail::nats {

stream_config meta_stream(bool in_memory);

/// What the last owner left behind; zeros for a new shard.
struct shard_checkpoint {
  fantail::epoch owner;
  position settled;
  /// The life of the stream that `settled` belongs to.
  std::string created_at;
};

void read_checkpoint(connection& via, shard_id shard,
                     api_handler<shard_checkpoint> handler);

/// Not acknowledged: a lost checkpoint costs a longer repeat after a restart.
void write_checkpoint(connection& via, shard_id shard,
                      const shard_checkpoint& x);

/// Up to where a user's own stream was republished into the shards.
struct source_checkpoint {
  position republished;
  /// The life of the stream that `republished` belongs to.
  std::string created_at;
};

/// `source` is "chat" or "presence". Zeros if nothing was republished yet.
void read_source_checkpoint(connection& via, std::string_view source,
                            api_handler<source_checkpoint> handler);

/// Not acknowledged: a lost one costs a longer comparison after a restart.
void write_source_checkpoint(connection& via, std::string_view source,
                             const source_checkpoint& x);

/// Creates the first free epoch behind `known`. Repeats until it succeeded or
/// the server refuses for another reason than a conflict.
void claim_epoch(connection& via, shard_id shard, fantail::epoch known,
                 const std::string& claimant,
                 api_handler<fantail::epoch> handler);

/// Tells whether nobody created an epoch behind `owner`.
void is_still_owner(connection& via, shard_id shard, fantail::epoch owner,
                    api_handler<bool> handler);

} // namespace fantail::nats
