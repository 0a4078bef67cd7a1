// SPDX-License-Identifier: MIT
#pragma once

#include "core/limits.hpp"

#include <string>
#include <string_view>

namespace fantail {

/// True for a name that may become one token of a NATS subject:
/// `[A-Za-z0-9_-]`, 1 to 128 bytes. nats.c validates nothing, so this check
/// stands between every foreign name and the wire.
constexpr bool is_token(std::string_view name) {
  if (name.empty() || name.size() > limits::token_bytes_max)
    return false;
  for (char c : name) {
    bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!good)
      return false;
  }
  return true;
}

/// True for a subject Fantail answers to: an inbox (`_INBOX.` and tokens), so
/// that a body can never make a node publish to a subject of its own choice.
constexpr bool is_reply_subject(std::string_view subject) {
  constexpr std::string_view prefix = "_INBOX.";
  if (subject.size() > limits::reply_subject_bytes_max
      || !subject.starts_with(prefix))
    return false;
  auto rest = subject.substr(prefix.size());
  while (true) {
    auto dot = rest.find('.');
    if (!is_token(rest.substr(0, dot)))
      return false;
    if (dot == std::string_view::npos)
      return true;
    rest.remove_prefix(dot + 1);
  }
}

/// The last token of a subject.
constexpr std::string_view last_token(std::string_view subject) {
  auto dot = subject.rfind('.');
  return dot == std::string_view::npos ? subject : subject.substr(dot + 1);
}

/// Every subject and stream name of the protocol (docs/PROTOCOL.md).
namespace subjects {

inline constexpr std::string_view chat_input = "messages.send.";
inline constexpr std::string_view presence_input = "presence.update.";
inline constexpr std::string_view presence_query = "presence.query.";
inline constexpr std::string_view presence_watch = "presence.watch.";
inline constexpr std::string_view instance_register = "instance.register.";
inline constexpr std::string_view instance_heartbeat = "instance.heartbeat.";
inline constexpr std::string_view instance_ack = "instance.ack.";
inline constexpr std::string_view instance_range = "instance.range.";
inline constexpr std::string_view instance_events = "instance.events.";
inline constexpr std::string_view dead = "fantail.dead.";

inline constexpr std::string_view instances_stream = "FANTAIL_INSTANCES";
inline constexpr std::string_view meta_stream = "FANTAIL_META";
inline constexpr std::string_view dead_stream = "FANTAIL_DEAD";

inline std::string numbered(std::string_view prefix, uint16_t n) {
  return std::string{prefix} + std::to_string(n);
}

/// Stream of a shard: `FANTAIL_IN_3` keeps `fantail.in.3.*`.
inline std::string shard_stream(uint16_t shard) {
  return numbered("FANTAIL_IN_", shard);
}

inline std::string shard_prefix(uint16_t shard) {
  return numbered("fantail.in.", shard) + ".";
}

/// Log of a presence shard: `FANTAIL_PRESENCE_3` keeps
/// `fantail.presence.3.*`.
inline std::string presence_stream(uint16_t shard) {
  return numbered("FANTAIL_PRESENCE_", shard);
}

inline std::string presence_prefix(uint16_t shard) {
  return numbered("fantail.presence.", shard) + ".";
}

/// Snapshots of a routing or of a presence shard: one stream each, with one
/// subject.
inline std::string routing_snapshots_stream(uint16_t shard) {
  return numbered("FANTAIL_SNAP_R_", shard);
}

inline std::string presence_snapshots_stream(uint16_t shard) {
  return numbered("FANTAIL_SNAP_P_", shard);
}

inline std::string routing_snapshots(uint16_t shard) {
  return numbered("fantail.snap.r.", shard);
}

inline std::string presence_snapshots(uint16_t shard) {
  return numbered("fantail.snap.p.", shard);
}

/// Members store of a presence shard: `FANTAIL_MEMBERS_3` keeps
/// `fantail.members.3`.
inline std::string members_stream(uint16_t shard) {
  return numbered("FANTAIL_MEMBERS_", shard);
}

inline std::string members_subject(uint16_t shard) {
  return numbered("fantail.members.", shard);
}

inline std::string of_instance(std::string_view prefix,
                               std::string_view instance) {
  return std::string{prefix} += instance;
}

} // namespace subjects

} // namespace fantail
