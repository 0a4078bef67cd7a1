// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/instance_directory.hpp"
#include "core/limits.hpp"
#include "core/presence/presence_query.hpp"
#include "core/routing/channel_scan.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// Questions about presence on their way to an answer. A user is known to one
/// presence shard. A channel takes two steps: its routing shard finds handles
/// of users, then the presence shards of these users give the names.
///
/// Not thread safe; the instance directory is shared and is.
class question_book {
public:
  /// What is published to whom.
  struct reply {
    std::string to;
    std::string body;
  };

  /// Users of one presence shard whose names are needed.
  struct naming {
    presence_shard_id home;
    std::vector<user_handle> users;
  };

  /// What routing found in a channel.
  struct finding {
    uint64_t version = 0;
    std::vector<std::pair<instance_index, uint32_t>> online;
    std::vector<channel_scan::found_user> users;
    std::optional<user_key> next;
  };

  question_book(std::string life, const instance_directory& names)
      : life_(std::move(life)), names_(names) {}

  /// The number of a new question; nothing if too many wait for theirs.
  std::optional<uint64_t> open(presence_topic topic, std::string reply_to,
                               time_point now);

  /// A user's sessions, newest first. No answer if nobody waits any more.
  std::optional<reply> found_user(
      uint64_t question, log_position version,
      const std::vector<std::pair<std::string, instance_index>>& sessions);

  /// Appends whose names are needed; if nobody's, returns the answer.
  std::optional<reply> found_channel(uint64_t question, finding x,
                                     std::vector<naming>& needed);

  /// Names in the order in which they were asked for. Returns the answer when
  /// all are there; who went offline meanwhile is left out.
  std::optional<reply> named(uint64_t question, presence_shard_id home,
                             const std::vector<std::string>& names);

  /// Gives up what waits for too long; such a question is refused as busy.
  void tick(time_point now, std::vector<reply>& refused);

  size_t size() const noexcept { return waiting_.size(); }

private:
  struct waiting {
    presence_topic topic;
    std::string reply_to;
    time_point until;
    finding found;
    /// In the order of found.users; empty until known.
    std::vector<std::string> names;
    size_t namings_left = 0;
  };

  reply finish(std::map<uint64_t, waiting>::iterator i, std::string body);
  std::string answer_of(const waiting& x) const;

  std::string life_;
  const instance_directory& names_;
  /// By number, so the oldest come first.
  std::map<uint64_t, waiting> waiting_;
  size_t channels_waiting_ = 0;
  uint64_t last_ = 0;
};

} // namespace fantail
