// SPDX-License-Identifier: MIT
#include "api/node_watch.hpp"

#include "core/limits.hpp"
#include "messages/wall_clock.hpp"

#include <pthread.h>

#include <algorithm>
#include <string>

namespace fantail {

using namespace std::chrono_literals;

namespace {

constexpr auto look_period = 100ms;
constexpr auto sample_period = 1s;

activity_signs signs_of(const actor_record& x) {
  activity_signs result;
  result.busy_since_ns = x.signs.read().current_since_ns;
  result.is_vacant = x.is_vacant;
  result.is_suspended = x.is_suspended;
  return result;
}

} // namespace

void node_watch::start() {
  thread_ = std::thread{[this] {
    run();
  }};
}

void node_watch::stop() {
  is_stopping_ = true;
  if (thread_.joinable())
    thread_.join();
}

void node_watch::run() {
  pthread_setname_np(pthread_self(), "fantail-watch");
  while (!is_stopping_) {
    look(what_.clock->now());
    std::this_thread::sleep_for(look_period);
  }
}

void node_watch::look(time_point now) {
  std::lock_guard guard{mutex_};
  auto now_ns = to_ns(now);
  for (auto& record : what_.actors->all()) {
    auto& x = actors_[record.get()];
    x.record = record;
    look_at(x, now_ns);
  }
  uint64_t stuck = 0;
  for (auto& [record, x] : actors_)
    stuck += x.stuck.is_stuck() ? 1 : 0;
  what_.counts->actors_stuck.set(stuck);
  if (now < next_sample_)
    return;
  next_sample_ = now + sample_period;
  sample(now_ns);
}

void node_watch::look_at(watched& x, int64_t now_ns) {
  auto news = x.stuck.look(signs_of(*x.record), now_ns);
  if (news != stuck_watch::news::none)
    tell(x, news, now_ns);
  if (x.record->is_suspended)
    resume_overfull(*x.record);
}

void node_watch::tell(watched& x, stuck_watch::news what, int64_t now_ns) {
  auto& record = *x.record;
  if (what == stuck_watch::news::unstuck) {
    record.journal.add(actor_journal::kind::unstuck, unix_now_ns());
    what_.reports->info("watch", "actor-unstuck", {{"actor", record.id}});
    return;
  }
  auto seen = record.signs.read();
  auto message = seen.current ? name_of(*seen.current) : "other";
  record.journal.add(actor_journal::kind::stuck, unix_now_ns(), message);
  what_.counts->stuck_total.add();
  what_.reports->warn(
      "watch", "actor-stuck",
      {{"actor", record.id},
       {"message", message},
       {"for_ns", std::to_string(now_ns - seen.current_since_ns)}});
}

/// Whoever forgets an actor that is suspended does not fill the memory.
void node_watch::resume_overfull(const actor_record& x) {
  if (x.held.get() <= limits::suspended_messages_max || !what_.control)
    return;
  what_.control->resume(x.id);
  what_.reports->warn(
      "watch", "actor-resumed",
      {{"actor", x.id}, {"reason", "too many messages were held"}});
}

void node_watch::sample(int64_t now_ns) {
  for (auto& [record, x] : actors_) {
    auto seen = record->signs.read();
    auto busy = seen.busy_ns;
    if (seen.current_since_ns != 0 && now_ns > seen.current_since_ns)
      busy += static_cast<uint64_t>(now_ns - seen.current_since_ns);
    x.messages.add(now_ns, seen.handled);
    x.busy_ns.add(now_ns, busy);
  }
  auto& counts = *what_.counts;
  shards_.resize(counts.shard.size());
  presence_.resize(counts.presence.size());
  for (size_t i = 0; i < shards_.size(); ++i) {
    shards_[i].events.add(now_ns, counts.shard[i].events.get());
    shards_[i].deliveries.add(now_ns, counts.shard[i].deliveries.get());
  }
  for (size_t i = 0; i < presence_.size(); ++i)
    presence_[i].add(now_ns, counts.presence[i].updates.get());
  length_.add(now_ns, 0);
  instances_.resize(what_.instances->size());
  for (size_t i = 0; i < instances_.size(); ++i) {
    uint64_t routed = 0;
    for (auto& egress : counts.egress)
      routed += egress.routed[i].get();
    instances_[i].add(now_ns, routed);
  }
}

node_watch::actor_pace node_watch::pace_of(const actor_record& actor) const {
  std::lock_guard guard{mutex_};
  auto i = actors_.find(&actor);
  if (i == actors_.end())
    return {};
  return {i->second.messages.per_second(),
          std::min(i->second.busy_ns.per_second() / 1e9, 1.0)};
}

node_watch::shard_pace node_watch::pace_of_shard(size_t shard) const {
  std::lock_guard guard{mutex_};
  if (shard >= shards_.size())
    return {};
  return {shards_[shard].events.per_second(),
          shards_[shard].deliveries.per_second()};
}

double node_watch::pace_of_presence(size_t shard) const {
  std::lock_guard guard{mutex_};
  return shard < presence_.size() ? presence_[shard].per_second() : 0;
}

double node_watch::pace_of_instance(size_t index) const {
  std::lock_guard guard{mutex_};
  return index < instances_.size() ? instances_[index].per_second() : 0;
}

double node_watch::window_seconds() const {
  std::lock_guard guard{mutex_};
  return length_.length_seconds();
}

} // namespace fantail
