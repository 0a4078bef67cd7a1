// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string_view>

namespace fantail {

/// A bare number with a meaning: two different ids never mix, and no
/// interface takes two plain integers side by side. `Tag` only tells types
/// apart and is never defined.
template <class Tag, class Rep>
struct tagged_id {
  using rep = Rep;
  Rep value = 0;

  constexpr tagged_id() = default;
  constexpr explicit tagged_id(Rep v) : value(v) {}
  constexpr auto operator<=>(const tagged_id&) const = default;
};

/// A slice of the channel space; the unit of ownership and recovery.
using shard_id = tagged_id<struct shard_tag, uint16_t>;

/// A slice of the users.
using presence_shard_id = tagged_id<struct presence_shard_tag, uint16_t>;

/// Place of a chat event in its shard's stream. JetStream counts from 1, so 0
/// means "before the first".
using position = tagged_id<struct position_tag, uint64_t>;

/// Place of a change in a presence shard's log: the version of a user.
using log_position = tagged_id<struct log_position_tag, uint64_t>;

/// Tells one life of a presence shard's log from another: positions of
/// different lives have nothing in common. 0 is none. See log_life_of.
using log_life = tagged_id<struct log_life_tag, uint64_t>;

/// Ownership generation of a shard. A higher epoch always wins; 0 is none.
using epoch = tagged_id<struct epoch_tag, uint64_t>;

/// Small dense number of an instance on this node, given by the
/// instance_directory; never leaves the process.
using instance_index = tagged_id<struct instance_tag, uint16_t>;

/// Small dense number of a user within one presence shard; never leaves the
/// process.
using user_handle = tagged_id<struct user_tag, uint32_t>;

/// Dense row number of a channel within one shard's table.
using row_id = tagged_id<struct row_tag, uint32_t>;

/// How important a chat event is. An outbox under pressure drops the higher
/// numbers first and never drops `critical`. Values travel on the wire.
enum class event_class : uint8_t {
  critical = 0,
  important = 1,
  best_effort = 2
};

/// What an instance receives: one chat event per NATS message, bytes and
/// headers as published, or frames (core/frame.hpp).
enum class delivery_format : uint8_t { single = 0, frame = 1 };

/// The word of the `Fantail-Class` header.
constexpr std::string_view to_string(event_class x) {
  switch (x) {
  case event_class::important:
    return "important";
  case event_class::best_effort:
    return "best-effort";
  default:
    return "critical";
  }
}

constexpr std::string_view to_string(delivery_format x) {
  return x == delivery_format::frame ? "frame" : "single";
}

} // namespace fantail

template <class Tag, class Rep>
struct std::hash<fantail::tagged_id<Tag, Rep>> {
  size_t operator()(fantail::tagged_id<Tag, Rep> x) const noexcept {
    return std::hash<Rep>{}(x.value);
  }
};
