// SPDX-License-Identifier: MIT
#pragma once

#include "core/hash.hpp"
#include "core/routing/routing_table.hpp"
#include "tests/integration/clients.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace fantail::test {

/// Random presence changes and events, and what has to come of them, however
/// often node and server are killed meanwhile.
///
/// Half of the users are stable: they never leave a channel, so an event
/// published after their `joined` has to reach their instance. The other half
/// comes, goes, moves and changes its mind; together they make the table that
/// has to be exact in the end. The model is changed in the order of the calls,
/// which is the order of effect.
class crash_model {
public:
  static constexpr size_t instances = 4;
  static constexpr size_t users = 24;
  static constexpr size_t channels = 16;
  /// Nobody ever joins the last one.
  static constexpr size_t channels_in_use = channels - 1;

  using names = std::set<std::string>;

  struct sent_event {
    std::string channel;
    /// Instances that have to receive it.
    std::set<size_t> wanted_by;
    /// Set by the acknowledgement.
    std::optional<position> stored_at;
  };

  crash_model(clients& with, uint64_t seed) : with_(with), random_(seed) {
    for (size_t i = 0; i < users; ++i) {
      auto& x = users_[i];
      x.name = "user-" + std::to_string(i);
      x.is_stable = i % 2 == 0;
      come_online(x, i / 2 % instances);
    }
  }

  /// The first two are of the format `frame`, the others `single`.
  static std::string instance_name(size_t index) {
    return "inst-" + std::to_string(index);
  }

  static bool is_frame(size_t index) { return index < 2; }

  /// One random event or presence change. Never waits.
  void step() {
    if (pick(10) < 8)
      send_event();
    else if (with_.presence.unanswered() < 100)
      change_user(users_[pick(users)]);
  }

  uint64_t pick(uint64_t below) { return random_() % below; }

  /// Nothing is under way any more.
  bool is_quiet() const {
    return with_.producer.in_flight() == 0 && with_.presence.unanswered() == 0;
  }

  std::map<std::string, sent_event> events() const {
    std::lock_guard guard{mutex_};
    return events_;
  }

  /// Whether some user who was on the instance was ever in the channel.
  bool may_receive(size_t instance, const std::string& channel) const {
    return std::any_of(users_.begin(), users_.end(), [&](auto& x) {
      return x.ever_on.contains(instance) && x.ever_in.contains(channel);
    });
  }

  size_t sessions() const {
    size_t result = 0;
    for (auto& x : users_)
      result += x.sessions.size();
    return result;
  }

  size_t users_online() const {
    return static_cast<size_t>(
        std::count_if(users_.begin(), users_.end(),
                      [](auto& x) { return !x.sessions.empty(); }));
  }

  /// Whether `digest` is that of the model's table. The numbers of the
  /// instances are a node's own affair, so any assignment will do.
  bool has_digest(const std::string& digest) const {
    std::array<uint16_t, instances> numbers{0, 1, 2, 3};
    do {
      if (digest_of(numbers) == digest)
        return true;
    } while (std::next_permutation(numbers.begin(), numbers.end()));
    return false;
  }

private:
  struct user {
    std::string name;
    bool is_stable = false;
    std::map<std::string, size_t> sessions;
    names channels;
    /// Joins that were answered; guarded by `mutex_`.
    names answered;
    std::set<size_t> ever_on;
    names ever_in;
    int last_session = 0;
  };

  static std::string channel_name(size_t index) {
    return "channel-" + std::to_string(index);
  }

  // -- events ----------------------------------------------------------------

  void send_event() {
    auto id = "e" + std::to_string(++last_event_);
    sent_event x;
    x.channel = channel_name(pick(channels));
    {
      std::lock_guard guard{mutex_};
      for (auto& member : users_)
        if (member.is_stable && member.answered.contains(x.channel))
          for (auto& [session, instance] : member.sessions)
            x.wanted_by.insert(instance);
      events_[id] = x;
    }
    auto sent
        = with_.producer.send(x.channel, id, id, [this, id](auto& outcome) {
            std::lock_guard guard{mutex_};
            events_[id].stored_at = outcome.pos;
          });
    if (sent == client::producer::send_result::accepted)
      return;
    std::lock_guard guard{mutex_};
    events_.erase(id);
  }

  // -- presence --------------------------------------------------------------

  void change_user(user& x) {
    if (x.is_stable) {
      join(x);
      return;
    }
    switch (pick(6)) {
    case 0:
      come_online(x, pick(instances));
      break;
    case 1:
      go_offline(x);
      break;
    case 2:
      move(x);
      break;
    case 3:
      leave(x);
      break;
    case 4:
      set(x);
      break;
    default:
      join(x);
    }
  }

  void come_online(user& x, size_t instance) {
    if (x.sessions.size() >= 3)
      return;
    appear(x, "s" + std::to_string(++x.last_session), instance);
  }

  void move(user& x) {
    if (!x.sessions.empty())
      appear(x, x.sessions.begin()->first, pick(instances));
  }

  void appear(user& x, const std::string& session, size_t instance) {
    x.sessions[session] = instance;
    x.ever_on.insert(instance);
    with_.presence.online(x.name, session, instance_name(instance), nullptr);
  }

  void go_offline(user& x) {
    if (x.sessions.empty())
      return;
    auto session = x.sessions.begin()->first;
    x.sessions.erase(session);
    with_.presence.offline(x.name, session, nullptr);
  }

  void join(user& x) {
    auto channel = channel_name(pick(channels_in_use));
    x.channels.insert(channel);
    x.ever_in.insert(channel);
    with_.presence.join(
        x.name, list_of({channel}), [this, &x, channel](auto& answer) {
          std::lock_guard guard{mutex_};
          if (answer && answer->what == presence_answer::status::joined)
            x.answered.insert(channel);
        });
  }

  void leave(user& x) {
    auto channel = channel_name(pick(channels_in_use));
    x.channels.erase(channel);
    with_.presence.leave(x.name, list_of({channel}), nullptr);
  }

  void set(user& x) {
    x.channels.clear();
    for (auto count = pick(5); x.channels.size() < count;)
      x.channels.insert(channel_name(pick(channels_in_use)));
    x.ever_in.insert(x.channels.begin(), x.channels.end());
    with_.presence.set(x.name, list_of({x.channels.begin(), x.channels.end()}),
                       nullptr);
  }

  // -- the table -------------------------------------------------------------

  std::string digest_of(const std::array<uint16_t, instances>& numbers) const {
    routing_table table;
    std::vector<vacancy> vacated;
    for (size_t i = 0; i < users; ++i) {
      auto& x = users_[i];
      std::set<size_t> places;
      for (auto& [session, instance] : x.sessions)
        places.insert(instance);
      if (places.empty())
        continue;
      user_change change;
      change.user = user_handle{static_cast<uint32_t>(i)};
      for (auto place : places) {
        change.instance = instance_index{numbers[place]};
        table.apply(presence_shard_id{0}, change, vacated);
      }
      change.what = user_change::kind::set_channels;
      change.channels = list_of({x.channels.begin(), x.channels.end()});
      table.apply(presence_shard_id{0}, change, vacated);
    }
    char text[17];
    std::snprintf(text, sizeof text, "%016llx",
                  static_cast<unsigned long long>(table.digest()));
    return text;
  }

  clients& with_;
  std::mt19937_64 random_;
  std::array<user, users> users_;
  uint64_t last_event_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, sent_event> events_;
};

} // namespace fantail::test
