// SPDX-License-Identifier: MIT
#pragma once

#include "core/control/decoded.hpp"
#include "core/ids.hpp"
#include "core/routing/user_index.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What others ask about presence, and what they are answered, as
/// docs/PROTOCOL.md §8 describes it.
namespace fantail {

/// What a question is about.
struct presence_topic {
  enum class kind : uint8_t { user, channel };

  kind about = kind::user;
  /// A token.
  std::string name;

  auto operator<=>(const presence_topic&) const = default;
};

/// The word in subjects and bodies: "user" or "channel".
std::string_view to_string(presence_topic::kind x);

/// The body of a question about a channel; one about a user has none.
struct channel_question {
  /// Users of one answer at most, 1 to limits::query_users_max.
  uint32_t limit = 0;
  /// Go on with this user: the `next` of the answer before.
  std::optional<user_key> from;
};

decoded<channel_question> decode_channel_question(std::string_view body);

/// The body of a request to watch.
struct watch_request {
  /// An inbox. Together with the topic it names the watch.
  std::string deliver_to;
  /// Ends the watch instead of opening or renewing it.
  bool is_end = false;
};

decoded<watch_request> decode_watch_request(std::string_view body);

/// One user who is online in a channel.
struct channel_user {
  std::string user;
  std::vector<std::string> instances;
};

struct channel_answer {
  std::string channel;
  /// Names the life of the node whose versions these are.
  std::string life;
  uint64_t version = 0;
  /// Instances with users of the channel online, and how many; a user on two
  /// instances counts on both.
  std::vector<std::pair<std::string, uint32_t>> instances;
  std::vector<channel_user> users;
  std::optional<user_key> next;
};

struct user_answer {
  std::string user;
  std::string life;
  log_position version;
  /// Session and instance, newest first; none if the user is offline.
  std::vector<std::pair<std::string, std::string>> sessions;
};

struct watch_answer {
  presence_topic topic;
  std::string watch;
  uint64_t lease_ms = 0;
  /// Of the newest message sent for the watch; 0 before the first.
  uint64_t number = 0;
};

std::string encode(const channel_answer& x);
std::string encode(const user_answer& x);
std::string encode(const watch_answer& x);
/// The answer to the end of a watch.
std::string encode_ended(const presence_topic& topic);
std::string encode_rejected(const presence_topic& topic, control_reject reason,
                            std::string_view detail);

/// `3-4711`: an opaque word on the wire.
std::string to_cursor(user_key x);
std::optional<user_key> cursor_from(std::string_view word);

} // namespace fantail
