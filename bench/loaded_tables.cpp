// SPDX-License-Identifier: MIT
#include "bench/loaded_tables.hpp"

#include "core/hash.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace fantail::bench {

namespace {

/// Users per delta. A presence shard collects for a few milliseconds; at
/// 1,000 changes per second that is a handful.
constexpr size_t users_per_delta = 8;

} // namespace

loaded_tables::loaded_tables(const loaded_tables_config& config)
    : config_(config), world_(config.population) {
  auto shards = std::max(config_.shards, uint16_t{1});
  auto filled = config_.shards_filled == 0
                    ? shards
                    : std::min(config_.shards_filled, shards);
  for (uint16_t i = 0; i < filled; ++i)
    routers_.emplace_back(shard_id{i});
  for (uint32_t i = 0; i < world_.config().channels; ++i)
    shard_of_.push_back(
        fantail::shard_of(population::channel_name(i), shards).value);
  auto homes = std::clamp(config_.presence_shards, uint16_t{1},
                          limits::presence_shards_max);
  std::vector<uint32_t> handles(homes);
  for (uint32_t i = 0; i < world_.config().users; ++i) {
    auto home = presence_shard_of(population::user_name(i), homes);
    users_.push_back({home, user_handle{handles[home.value]++}});
  }
  deltas_.resize(homes, std::vector<presence_delta>(filled));
  numbers_.resize(homes, std::vector<uint64_t>(filled));
}

void loaded_tables::fill(const progress_callback& progress) {
  inside_ = {};
  auto users = world_.config().users;
  for (uint32_t user = 0; user < users; ++user) {
    collect(user);
    auto home = users_[user].home.value;
    if (deltas_[home][0].changes.size() >= 2 * users_per_delta)
      send(home);
    if (progress && user % 1024 == 0)
      progress("fill", 1.0 * user / users);
  }
  send_all();
}

void loaded_tables::collect(uint32_t user) {
  auto& [home, handle] = users_[user];
  auto& shards = deltas_[home.value];
  world_.channels_of(user, channels_);
  for (auto& delta : shards) {
    user_change online;
    online.what = user_change::kind::add_instance;
    online.user = handle;
    online.instance = instance_index{world_.instance_of(user)};
    online.stored_at_ns = now_ns_;
    delta.changes.push_back(online);
    online.what = user_change::kind::set_channels;
    delta.changes.push_back(online);
  }
  for (auto channel : channels_)
    if (shard_of_[channel] < shards.size())
      shards[shard_of_[channel]].changes.back().channels.push_back(
          population::channel_name(channel));
}

void loaded_tables::send(uint16_t home) {
  for (uint16_t i = 0; i < routers_.size(); ++i) {
    auto& delta = deltas_[home][i];
    delta.from = presence_shard_id{home};
    delta.to = shard_id{i};
    delta.number = ++numbers_[home][i];
    auto begin = thread_time();
    routers_[i].apply(delta);
    inside_ += thread_time() - begin;
    delta.changes.clear();
  }
}

void loaded_tables::send_all() {
  for (uint16_t home = 0; home < deltas_.size(); ++home)
    send(home);
}

uint64_t loaded_tables::reconnect(uint32_t users, uint64_t seed) {
  fast_random random{seed};
  uint64_t updates = 0;
  inside_ = {};
  for (uint32_t i = 0; i < users; ++i) {
    auto user = random.below(world_.config().users);
    world_.channels_of(user, channels_);
    for (auto channel : channels_)
      updates += shard_of_[channel] < routers_.size() ? 2 : 0;
    auto& [home, handle] = users_[user];
    ++now_ns_;
    for (auto& delta : deltas_[home.value]) {
      user_change x;
      x.what = user_change::kind::remove_instance;
      x.user = handle;
      x.instance = instance_index{world_.instance_of(user)};
      x.stored_at_ns = now_ns_;
      delta.changes.push_back(x);
      x.what = user_change::kind::add_instance;
      delta.changes.push_back(x);
    }
    send(home.value);
    for (auto& router : routers_)
      pass_time(router);
  }
  return updates;
}

/// Routes an event stored now, so that departures expire as they do in life.
void loaded_tables::pass_time(shard_router& router) {
  pull_builder builder{shard_id{0}, router.routed_to()};
  builder.add(position{router.routed_to().value + 1}, ++now_ns_, "nobody", {},
              {});
  auto events = builder.finish(0, 1);
  delivery_list group;
  router.route(*events, {&group, 1});
}

uint64_t loaded_tables::memberships() const noexcept {
  uint64_t result = 0;
  for (auto& router : routers_)
    result += router.table().users().memberships();
  return result;
}

std::chrono::nanoseconds thread_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds{now.tv_sec}
         + std::chrono::nanoseconds{now.tv_nsec};
}

size_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

} // namespace fantail::bench
