// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/nats/connection.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fantail::client {

struct presence_watcher_options {
  /// How often leases are renewed, and what was missed is found out; at most
  /// half of the node's lease (60 s).
  duration renew_interval = std::chrono::seconds{10};
  duration answer_timeout = std::chrono::seconds{5};
};

/// Who is online in a channel.
struct channel_presence {
  std::string channel;
  std::set<std::string> online;
};

/// Where a user is.
struct user_presence {
  std::string user;
  std::vector<std::string> instances;
};

/// Follows the presence of channels and users (docs/PROTOCOL.md, §8): opens a
/// watch, asks for the whole state, applies the changes behind it, and asks
/// again whenever a number is missing or the node began a new life.
///
/// Any thread may call. Handlers get the whole state after every change that
/// was told; they run on the loop's thread and must not block. Loop and
/// connection outlive the watcher.
class presence_watcher {
public:
  using channel_handler = std::function<void(const channel_presence&)>;
  using user_handler = std::function<void(const user_presence&)>;

  presence_watcher(nats::event_loop& loop, nats::connection& via,
                   presence_watcher_options options = {});
  /// Ends all watches, as far as the connection is up.
  ~presence_watcher();
  presence_watcher(const presence_watcher&) = delete;
  presence_watcher& operator=(const presence_watcher&) = delete;

  /// REQUIRES: the name is a token. A topic that is watched already gets the
  /// new handler.
  void watch_channel(std::string_view channel, channel_handler on_change);
  void watch_user(std::string_view user, user_handler on_change);

private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace fantail::client
