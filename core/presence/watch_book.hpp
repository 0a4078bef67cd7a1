// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/control/control_reject.hpp"
#include "core/limits.hpp"
#include "core/presence/presence_query.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fantail {

struct watch_book_config {
  /// Named in every watch: numbers of another life of the node mean nothing.
  std::string life;
  duration lease = limits::watch_lease_default;
  /// Changes of a topic that was quiet go out at once; what follows is
  /// collected for so long.
  duration interval = limits::watch_interval_default;
  size_t watches_max = limits::watches_max;
};

/// Who watches whose presence: leases, numbers and what is to be sent. Every
/// message of a watch has the number after that of the one before, so that
/// whoever misses one knows. What happens to a user between two messages is
/// told as the newest state.
///
/// Invariants: (1) a topic is in the book exactly if it has a watch;
/// (2) size() is the number of watches.
///
/// Not thread safe.
class watch_book {
public:
  struct opened {
    control_reject reason = control_reject::none;
    watch_answer answer;
    /// It is the topic's first watch: those who know its changes have to be
    /// told.
    bool is_first = false;
  };

  struct outgoing {
    std::string deliver_to;
    std::string body;
  };

  explicit watch_book(watch_book_config config);

  /// Opens a watch, or renews the lease of the one this topic has with that
  /// inbox.
  opened open(const presence_topic& topic, const std::string& deliver_to,
              time_point now);

  /// True if it was the topic's last watch: then nobody asks for its changes.
  bool end(const presence_topic& topic, const std::string& deliver_to);

  /// A watched user is now online on these instances, or offline.
  void user_changed(const std::string& user, log_position version,
                    std::vector<std::string> instances);

  /// A user is now online in a watched channel, or not. `version` is that of
  /// channel answers.
  void channel_changed(const std::string& channel, uint64_t version,
                       const std::string& user, bool is_online);

  /// Something happened that cannot be told: a number is left out, and the
  /// message behind it says nothing but that.
  void missed(const presence_topic& topic);

  /// Appends what is due, and the topics whose last lease ran out.
  void tick(time_point now, std::vector<outgoing>& out,
            std::vector<presence_topic>& ended);

  bool has(const presence_topic& topic) const {
    return entries_.contains(topic);
  }
  size_t size() const noexcept { return size_; }

private:
  struct watch {
    std::string name;
    time_point until;
    uint64_t number = 0;
  };

  struct entry {
    /// By inbox.
    std::map<std::string, watch> watches;
    time_point due_at{};
    uint64_t version = 0;
    bool is_changed = false;
    /// Of a user topic.
    std::vector<std::string> instances;
    /// Of a channel topic: the newest state of each user that changed.
    std::map<std::string, bool> users;
  };

  entry* find(presence_topic::kind about, const std::string& name);
  void send(const presence_topic& topic, entry& x, time_point now,
            std::vector<outgoing>& out);

  watch_book_config config_;
  std::map<presence_topic, entry> entries_;
  size_t size_ = 0;
  uint64_t watches_opened_ = 0;
};

} // namespace fantail
