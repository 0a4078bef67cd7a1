// SPDX-License-Identifier: MIT
#pragma once

#include "core/channel_list.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The bodies of `presence.update.{user}` and of their answers, as
/// docs/PROTOCOL.md §2 describes them.
namespace fantail {

enum class presence_op : uint8_t {
  online,
  offline,
  set,
  join,
  leave,
  /// What Fantail itself appends when a session's time to live ran out.
  expire,
  /// What Fantail itself appends when the rows of an offline user are to leave
  /// the tables.
  evict,
};

/// The word on the wire.
std::string_view to_string(presence_op x);
std::optional<presence_op> presence_op_from(std::string_view word);

/// Why a presence change was refused; to_string gives the protocol's words.
enum class presence_reject : uint8_t {
  none = 0,
  /// Not one JSON object.
  malformed,
  /// A known member has the wrong type, or `reply_to` is no inbox.
  wrong_type,
  missing_member,
  unknown_op,
  illegal_session,
  illegal_instance,
  illegal_channel,
  illegal_user,
  too_many_channels,
  too_many_sessions,
  too_many_instances,
  unknown_session,
  too_large,
  /// The node is at its memory limit; ask again later.
  memory_limit,
  /// The change is in effect, but the channels of the user are lost.
  membership_lost,
};

std::string_view to_string(presence_reject x);
std::optional<presence_reject> presence_reject_from(std::string_view word);

/// One change of one user. Members the operation does not use are checked like
/// the others, kept, and mean nothing.
struct presence_update {
  presence_op op = presence_op::online;
  std::string session;
  std::string instance;
  /// May name a channel twice.
  channel_list channels;
  /// Tells `"channels":[]` from no channels.
  bool has_channels = false;
  /// Empty if no answer is wanted.
  std::string reply_to;

  bool operator==(const presence_update&) const = default;
};

/// What a body turned out to be. If it was refused, `update` still holds the
/// `reply_to` and, with `has_op`, the operation, as far as they could be read,
/// so that the refusal can be answered.
struct presence_parse {
  presence_update update;
  bool has_op = false;
  presence_reject reason = presence_reject::none;
  /// One line for people, names the member.
  std::string detail;

  bool ok() const noexcept { return reason == presence_reject::none; }
};

/// Reads an arbitrary body in one pass. An accepted update holds only valid
/// tokens, all members its operation needs, and a `reply_to` that is an inbox
/// or empty. A body beyond limits::presence_body_bytes_max is still searched
/// for its `reply_to`, one beyond limits::payload_bytes_max is not.
presence_parse parse_presence_update(std::string_view body);

/// REQUIRES: every name in `x` is a token, `reply_to` an inbox or empty.
std::string encode(const presence_update& x);

/// The answer to a change that asked for one.
struct presence_answer {
  enum class status : uint8_t { joined, left, rejected };

  status what = status::joined;
  std::string user;
  /// Absent in a refusal of something without a readable operation.
  std::optional<presence_op> op;
  log_position version;
  /// Of `joined` and `left`: the shards concerned, each with the position
  /// behind which the change is in effect.
  std::vector<std::pair<shard_id, position>> positions;
  /// Of `rejected`.
  presence_reject reason = presence_reject::none;
  std::string detail;

  bool operator==(const presence_answer&) const = default;
};

std::string_view to_string(presence_answer::status x);

std::string encode(const presence_answer& x);

/// Returns nothing, and what is wrong in `why`, if `body` is no answer.
/// Positions come back in the order of their shards.
std::optional<presence_answer>
decode_presence_answer(std::string_view body, std::string* why = nullptr);

} // namespace fantail
