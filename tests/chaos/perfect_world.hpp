// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/history/record.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace fantail::test {

/// What a planted fault does to an otherwise perfect world.
enum class planted : uint8_t {
  nothing,
  loses_one_in_10000,
  swaps_two,
  routes_to_a_left_session,
  skips_a_fence,
  counts_twice,
  misses_a_join,
};

/// A fan-out that keeps every promise, in virtual time, and the history of a
/// random run of it. It knows nothing of Fantail or the checker but the
/// records: every change of presence takes effect at a moment of its own
/// between call and answer, every event is routed at the moment it is stored,
/// and each instance gets its events one after the other, some time later.
class perfect_world {
public:
  using time = int64_t;
  static constexpr time ms = 1'000'000;
  static constexpr chaos::instance_number instances = 6;
  static constexpr chaos::channel_number channels = 12;
  static constexpr chaos::user_number users = 30;

  explicit perfect_world(uint64_t seed, planted fault = planted::nothing)
      : random_(seed), fault_(fault) {}

  static chaos::history_head head() {
    chaos::history_head result;
    for (int i = 0; i < instances; ++i)
      result.formats.push_back(is_single(i) ? delivery_format::single
                                            : delivery_format::frame);
    return result;
  }

  /// Plays `steps` random steps, about 1 ms each.
  std::vector<chaos::timed_record> play(int steps) {
    for (int i = 0; i < steps; ++i) {
      now_ += 1 + pick(2 * ms);
      settle();
      // Without a second epoch there is no fence to skip.
      if (fault_ == planted::skips_a_fence && i == steps / 2)
        restart_node(++faults_);
      auto dice = pick(10'000);
      // First somebody has to be there.
      if (dice < (i < 100 ? 3'000 : 9'700))
        publish();
      else if (dice < 9'997)
        change_presence();
      else
        break_something();
    }
    end();
    std::ranges::stable_sort(history_, {}, &chaos::timed_record::at);
    return std::move(history_);
  }

  /// How often the planted fault struck.
  int struck() const { return struck_; }

private:
  using place = std::pair<chaos::channel_number, chaos::instance_number>;

  struct user {
    std::map<chaos::session_number, chaos::instance_number> sessions;
    std::set<chaos::channel_number> channels;
    time busy_until = 0;
  };

  struct pending {
    time at;
    chaos::presence_called what;
  };

  struct event {
    chaos::event_number number;
    chaos::channel_number channel;
    time stored_at;
    time acknowledged_at;
  };

  struct delivery {
    time at;
    chaos::event_number event;
    chaos::channel_number channel;
    epoch under;
    time stored_at;
  };

  static bool is_single(int instance) { return instance % 3 == 2; }
  static shard_id shard_of(chaos::channel_number x) {
    return shard_id{static_cast<uint16_t>(x % 4)};
  }

  time pick(time below) {
    return static_cast<time>(random_() % static_cast<uint64_t>(below));
  }

  void note(time at, chaos::record x) {
    history_.push_back(
        {time_point{std::chrono::nanoseconds{at}}, std::move(x)});
  }

  bool strikes() {
    ++struck_;
    return true;
  }

  // -- presence --------------------------------------------------------------

  void change_presence() {
    chaos::presence_called x;
    x.call = ++calls_;
    x.user = static_cast<chaos::user_number>(pick(users));
    x.what = static_cast<chaos::presence_call_kind>(pick(5));
    x.session = static_cast<chaos::session_number>(pick(2));
    x.instance = static_cast<chaos::instance_number>(pick(instances));
    if (x.what != chaos::presence_call_kind::offline)
      for (auto n = 1 + pick(3); n > 0; --n)
        x.channels.push_back(
            static_cast<chaos::channel_number>(pick(channels)));
    note(now_, x);
    // Changes of one user take effect in their order.
    auto& busy = users_[x.user].busy_until;
    auto effect = std::max(busy, now_) + 1 + pick(20 * ms);
    busy = effect;
    pending_.push_back({effect, x});
    auto is_answered = pick(50) > 0;
    note(effect + 1 + pick(30 * ms),
         chaos::presence_answered{
             x.call, is_answered ? chaos::presence_outcome::done
                                 : chaos::presence_outcome::unknown});
  }

  /// Lets everything take effect whose moment has come, in order.
  void settle() {
    std::ranges::stable_sort(pending_, {}, &pending::at);
    std::ranges::stable_sort(stored_, {}, &event::stored_at);
    size_t changes = 0, events = 0;
    while (true) {
      auto change = changes < pending_.size() && pending_[changes].at <= now_;
      auto store = events < stored_.size() && stored_[events].stored_at <= now_;
      if (change && store)
        (pending_[changes].at < stored_[events].stored_at ? store : change)
            = false;
      if (change)
        apply(pending_[changes++].what);
      else if (store)
        route(stored_[events++]);
      else
        break;
    }
    pending_.erase(pending_.begin(), pending_.begin() + long(changes));
    stored_.erase(stored_.begin(), stored_.begin() + long(events));
  }

  void apply(const chaos::presence_called& x) {
    using enum chaos::presence_call_kind;
    auto& user = users_[x.user];
    auto skips = fault_ == planted::misses_a_join && x.what == join
                 && ++joins_ % 2 == 0 && strikes();
    if (x.what == online)
      user.sessions[x.session] = x.instance;
    if (x.what == offline)
      user.sessions.erase(x.session);
    if (x.what == set || (x.what == online && !x.channels.empty()))
      user.channels.clear();
    if (skips)
      return;
    for (auto channel : x.channels)
      if (x.what == leave)
        user.channels.erase(channel);
      else
        user.channels.insert(channel);
  }

  std::set<chaos::instance_number> targets(chaos::channel_number channel) {
    std::set<chaos::instance_number> result;
    for (auto& [number, user] : users_)
      if (user.channels.contains(channel))
        for (auto& [session, instance] : user.sessions)
          result.insert(instance);
    if (fault_ == planted::routes_to_a_left_session)
      for (auto instance : result)
        ever_.insert({channel, instance});
    return result;
  }

  // -- events ----------------------------------------------------------------

  void publish() {
    event x{events_++, static_cast<chaos::channel_number>(pick(channels)),
            now_ + 1 + pick(5 * ms), 0};
    x.acknowledged_at = x.stored_at + 1 + pick(5 * ms);
    note(now_, chaos::publish_called{x.number, x.channel});
    stored_.push_back(x);
  }

  void route(const event& x) {
    note(x.acknowledged_at,
         chaos::publish_stored{x.number, position{++last_position_}});
    auto to = targets(x.channel);
    if (fault_ == planted::routes_to_a_left_session && x.number % 100 == 99)
      for (auto& [channel, instance] : ever_)
        if (channel == x.channel && to.insert(instance).second)
          strikes();
    for (auto instance : to)
      deliver(instance, x.number, x.channel, x.stored_at);
  }

  void deliver(chaos::instance_number to, chaos::event_number number,
               chaos::channel_number channel, time stored_at) {
    if (fault_ == planted::loses_one_in_10000 && ++deliveries_ % 10'000 == 0
        && strikes())
      return;
    auto& next = free_at_[to];
    next = std::max(next, stored_at + pick(10 * ms)) + 1;
    // Nothing keeps what is on its way to somebody who is not there.
    if (is_single(to) && down_until_[to] > stored_at)
      return;
    auto under = epoch_;
    if (fault_ == planted::skips_a_fence && epoch_.value > 1
        && epoch_used_[to] == epoch_ && !is_single(to) && ++late_ % 50 == 0
        && strikes())
      under.value -= 1;
    epoch_used_[to] = epoch_;
    sent_[to].push_back({next, number, channel, under, stored_at});
  }

  // -- failures --------------------------------------------------------------

  void break_something() {
    auto number = ++faults_;
    auto i = static_cast<chaos::instance_number>(pick(instances));
    if (pick(2) == 0) {
      restart_node(number);
      return;
    }
    if (down_until_[i] > now_)
      return;
    auto until = now_ + 50 * ms + pick(500 * ms);
    note(now_, chaos::fault_marked{number, chaos::fault_phase::on,
                                   "instance-stop", "", i});
    note(now_, chaos::link_changed{i, false});
    if (is_single(i))
      std::erase_if(sent_[i], [&](auto& x) { return x.at >= now_; });
    else
      for (auto& x : sent_[i])
        if (x.at >= now_)
          x.at = until + (x.at - now_) / 1000 + 1;
    down_until_[i] = until + 1;
    free_at_[i] = std::max(free_at_[i], until + 600'000);
    note(until, chaos::fault_marked{number, chaos::fault_phase::off,
                                    "instance-stop", "", i});
    note(until, chaos::link_changed{i, true});
  }

  /// Everybody waits, and what was not settled comes to `single` again.
  void restart_node(chaos::fault_number number) {
    auto until = now_ + 10 * ms + pick(300 * ms);
    note(now_, chaos::fault_marked{number, chaos::fault_phase::on, "node-kill",
                                   "", chaos::no_instance});
    note(now_, chaos::node_changed{false});
    for (chaos::instance_number i = 0; i < instances; ++i) {
      std::vector<delivery> again;
      for (auto& x : sent_[i]) {
        if (is_single(i) && x.at < now_ && x.at > now_ - 900 * ms)
          again.push_back(x);
        if (x.at >= now_)
          x.at += until - now_;
      }
      auto& next = free_at_[i];
      next = std::max(next + (until - now_), until);
      for (auto& x : again)
        sent_[i].push_back({++next, x.event, x.channel, x.under, x.stored_at});
    }
    epoch_.value += 1;
    note(until, chaos::node_changed{true});
    note(until, chaos::fault_marked{number, chaos::fault_phase::off,
                                    "node-kill", "", chaos::no_instance});
  }

  // -- end -------------------------------------------------------------------

  void end() {
    now_ += 1000 * ms;
    settle();
    for (auto& x : free_at_)
      now_ = std::max(now_, x + 100 * ms);
    for (chaos::instance_number i = 0; i < instances; ++i) {
      if (fault_ == planted::swaps_two && i == 0)
        swap_two(sent_[i]);
      for (auto& x : sent_[i])
        note(x.at, chaos::event_received{i, x.event, shard_of(x.channel),
                                         is_single(i) ? epoch{} : x.under});
    }
    uint64_t online = 0, sessions = 0;
    for (auto& [number, user] : users_) {
      online += !user.sessions.empty();
      sessions += user.sessions.size();
      note(now_,
           chaos::user_seen{number,
                            time_point{std::chrono::nanoseconds{now_ - 1}},
                            {user.sessions.begin(), user.sessions.end()}});
    }
    using counter = chaos::counter_read::kind;
    auto twice = fault_ == planted::counts_twice && strikes();
    note(now_,
         chaos::counter_read{counter::events, last_position_ + twice, true});
    note(now_, chaos::counter_read{counter::users, online, true});
    note(now_, chaos::counter_read{counter::sessions, sessions, true});
    note(now_, chaos::run_ended{});
  }

  /// Two events of one channel change places, somewhere in the middle.
  void swap_two(std::vector<delivery>& all) {
    for (auto one = all.begin() + long(all.size() / 2); one != all.end();
         ++one) {
      auto other = std::find_if(one + 1, all.end(), [&](auto& x) {
        return x.channel == one->channel;
      });
      // Nothing arrives before it is published.
      if (other == all.end() || other->stored_at >= one->at)
        continue;
      std::swap(one->event, other->event);
      strikes();
      return;
    }
  }

  std::mt19937_64 random_;
  planted fault_;
  time now_ = 1'000'000 * ms;
  std::vector<chaos::timed_record> history_;
  std::map<chaos::user_number, user> users_;
  std::vector<pending> pending_;
  std::vector<event> stored_;
  std::vector<delivery> sent_[instances];
  time free_at_[instances]{};
  time down_until_[instances]{};
  epoch epoch_{1};
  epoch epoch_used_[instances];
  std::set<place> ever_;
  chaos::call_number calls_ = 0;
  chaos::event_number events_ = 0;
  chaos::fault_number faults_ = 0;
  uint64_t last_position_ = 0;
  uint64_t deliveries_ = 0;
  uint64_t joins_ = 0;
  uint64_t late_ = 0;
  int struck_ = 0;
};

} // namespace fantail::test
