// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/presence/delta.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What stands in a stream of snapshots; docs/SNAPSHOTS.md has the format.
namespace fantail {

/// The actor whose state a snapshot holds: a presence shard or a routing
/// shard. Each has a stream of its own.
struct snapshot_source {
  enum class kind : uint8_t { presence = 0, routing = 1 };

  kind what = kind::presence;
  uint16_t shard = 0;

  auto operator<=>(const snapshot_source&) const = default;
};

inline snapshot_source source_of(presence_shard_id x) {
  return {snapshot_source::kind::presence, x.value};
}
inline snapshot_source source_of(shard_id x) {
  return {snapshot_source::kind::routing, x.value};
}

/// "presence shard 3", for people.
std::string to_string(snapshot_source x);

/// What a snapshot is up to date with.
struct snapshot_descriptor {
  /// Of a presence shard: the life of its log as the server names it, and
  /// what has to be added to a position of that life to get its version.
  std::string created_at;
  uint64_t version_base = 0;
  /// The logs of presence shards, and up to where they are contained: of a
  /// routing shard all it was told by, of a presence shard its own.
  std::vector<std::pair<presence_shard_id, log_progress>> logs;
  /// Bytes of the image: the payloads of all chunks.
  uint64_t image_bytes = 0;

  /// What is known of the log of `x`; nothing if that is absent.
  log_progress log_of(presence_shard_id x) const;

  bool operator==(const snapshot_descriptor&) const = default;
};

/// One message of the stream. A snapshot is a header (index 0), chunks and a
/// trailer, with an id in common; header and trailer hold the descriptor.
struct snapshot_part {
  enum class role : uint8_t { header = 1, chunk = 2, trailer = 3 };

  role what = role::header;
  snapshot_source of;
  uint64_t id = 0;
  uint32_t index = 0;
  /// Sequence of the header in the stream; 0 in the header itself.
  uint64_t first = 0;
  std::string_view payload;
};

/// Bytes in front of a part's payload.
inline constexpr size_t snapshot_part_head = 40;

/// Makes a message of a payload that stands in `bytes` behind
/// snapshot_part_head bytes; `head.payload` is not looked at.
void seal(const snapshot_part& head, std::string& bytes);

/// Reads a message nobody vouches for; what is wrong goes to `why`.
std::optional<snapshot_part> read_part(std::string_view bytes,
                                       std::string& why);

/// The payload of header and trailer, behind snapshot_part_head bytes.
std::string encode(const snapshot_descriptor& x);

std::optional<snapshot_descriptor> decode_descriptor(std::string_view payload,
                                                     std::string& why);

} // namespace fantail
