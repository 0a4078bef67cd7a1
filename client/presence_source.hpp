// SPDX-License-Identifier: MIT
#pragma once

#include "client/confirmed_publisher.hpp"
#include "core/channel_list.hpp"
#include "core/presence/presence_codec.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fantail::client {

struct presence_source_options {
  confirmed_publisher_options publishing;
  /// A stored change that is not answered is sent again after this time, as
  /// long as it is the user's newest, and `attempts_max` times in all.
  duration answer_timeout = std::chrono::seconds{10};
  int attempts_max = 6;
  /// Number of presence shards to publish to directly, for a server without
  /// the mapping of `presence.update.*`; 0 = the server has it.
  uint16_t direct_shards = 0;
};

/// Tells Fantail who is online where and in which channels (docs/PROTOCOL.md,
/// §2). Changes of one user take effect in the order of the calls: the next is
/// published when the one before is stored. Those of different users are all
/// under way at once.
///
/// Any thread may call; a change with an illegal name is answered `rejected`
/// without being sent. Handlers run on the loop's thread and must not block.
class presence_source {
public:
  /// Gets the answer: after `joined` every later event of the channels
  /// arrives, after `left` none. Nothing = stored, but in spite of repeats
  /// nobody answered.
  using handler = std::function<void(const std::optional<presence_answer>&)>;

  presence_source(nats::event_loop& loop, nats::connection& via,
                  presence_source_options options = {});
  ~presence_source();
  presence_source(const presence_source&) = delete;
  presence_source& operator=(const presence_source&) = delete;

  /// The session exists on `instance`; the user's channels stay as they are.
  void online(std::string_view user, std::string_view session,
              std::string_view instance, handler on_answer);

  /// The same, and `channels` are the user's channels from now on.
  void online(std::string_view user, std::string_view session,
              std::string_view instance, channel_list channels,
              handler on_answer);

  /// The session is gone.
  void offline(std::string_view user, std::string_view session,
               handler on_answer);

  /// `channels` are the user's channels, and no others.
  void set(std::string_view user, channel_list channels, handler on_answer);

  /// The user is in `channels`, too.
  void join(std::string_view user, channel_list channels, handler on_answer);

  /// The user is not in `channels` any more.
  void leave(std::string_view user, channel_list channels, handler on_answer);

  /// Any of the above; `reply_to` is filled in here.
  void change(std::string_view user, presence_update update, handler on_answer);

  /// Changes that are not answered yet.
  size_t unanswered() const;

private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace fantail::client
