// SPDX-License-Identifier: MIT
#include "core/inspection/trace_log.hpp"

#include "core/subject.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

// -- one viewer

trace_log::trace::trace(trace_log& log, trace_wish wish)
    : log_(log), wish_(std::move(wish)) {
  log_.watched_.fetch_add(1);
}

trace_log::trace::~trace() {
  log_.watched_.fetch_sub(1);
}

std::vector<trace_step> trace_log::trace::take() {
  std::lock_guard guard{mutex_};
  return std::exchange(steps_, {});
}

bool trace_log::trace::is_done() const {
  std::lock_guard guard{mutex_};
  // An event is one event; of a channel or a user there may be more.
  auto wanted = wish_.event.empty() ? wish_.limit : 1;
  return followed_.size() >= wanted && steps_.empty()
         && std::ranges::all_of(followed_, &followed::is_done);
}

void trace_log::trace::note(trace_hop hop, const followed& x,
                            const scene& where, std::string detail) {
  if (steps_.size() < steps_max)
    steps_.push_back({hop, where.now_ns, where.now_ns - x.received_at_ns,
                      x.name, x.is_presence, x.at, x.shard, where.actor,
                      std::move(detail)});
}

void trace_log::trace::follow(followed x, const scene& where) {
  scene then{where.actor, x.received_at_ns};
  note(trace_hop::pulled, x, then);
  followed_.push_back(std::move(x));
}

void trace_log::trace::routed(const pull& events, uint64_t number,
                              const std::vector<uint32_t>& spreads,
                              const scene& where) {
  for (size_t i = 0; i < events.size() && !is_full(); ++i) {
    auto is_wanted
        = wish_.event.empty()
              ? events.channel_of(i) == wish_.channel
              : header_value(events[i].headers, "Nats-Msg-Id") == wish_.event;
    if (!is_wanted)
      continue;
    followed x;
    x.name = events.channel_of(i);
    x.shard = events.shard.value;
    x.at = events[i].pos;
    x.received_at_ns = events.received_at_ns;
    x.number = number;
    follow(x, where);
    note(trace_hop::routed, x, where,
         "to " + std::to_string(spreads[i])
             + (spreads[i] == 1 ? " instance" : " instances"));
  }
}

// -- all of them

std::shared_ptr<trace_log::trace> trace_log::open(trace_wish wish) {
  auto result = std::make_shared<trace>(*this, std::move(wish));
  std::lock_guard guard{mutex_};
  std::erase_if(traces_, [](auto& x) { return x.expired(); });
  traces_.push_back(result);
  return result;
}

template <class F>
void trace_log::for_each(F f) {
  // Whoever lets go of a trace last does so without the lock of the list.
  std::vector<std::shared_ptr<trace>> all;
  {
    std::lock_guard guard{mutex_};
    for (auto& x : traces_)
      if (auto one = x.lock())
        all.push_back(std::move(one));
  }
  for (auto& x : all) {
    std::lock_guard guard{x->mutex_};
    f(*x);
  }
}

void trace_log::routed(const pull& events, uint64_t number,
                       const std::vector<uint32_t>& spreads,
                       const scene& where) {
  for_each([&](trace& x) {
    if (x.wish_.user.empty())
      x.routed(events, number, spreads, where);
  });
}

void trace_log::passed(trace_hop hop, shard_id shard, uint64_t number,
                       const scene& where) {
  for_each([&](trace& x) {
    for (auto& event : x.followed_)
      if (!event.is_presence && event.shard == shard.value
          && event.number == number)
        x.note(hop, event, where);
  });
}

void trace_log::settled(shard_id shard, position at, const scene& where) {
  for_each([&](trace& x) {
    for (auto& event : x.followed_)
      if (!event.is_presence && !event.is_done && event.shard == shard.value
          && event.at <= at) {
        event.is_done = true;
        x.note(trace_hop::settled, event, where);
      }
  });
}

void trace_log::applied(presence_shard_id shard, std::string_view user,
                        position at, int64_t received_at_ns,
                        const scene& where) {
  for_each([&](trace& x) {
    if (x.wish_.user != user || x.is_full())
      return;
    trace::followed change;
    change.name = user;
    change.shard = shard.value;
    change.at = at;
    change.received_at_ns = received_at_ns;
    change.is_presence = true;
    x.follow(change, where);
    x.note(trace_hop::applied, change, where);
  });
}

void trace_log::told(presence_shard_id shard, uint64_t deltas) {
  for_each([&](trace& x) {
    for (auto& change : x.followed_)
      if (change.is_presence && change.shard == shard.value
          && change.number == 0)
        change.number = deltas;
  });
}

void trace_log::in_effect(presence_shard_id shard, uint64_t deltas,
                          const scene& where) {
  for_each([&](trace& x) {
    for (auto& change : x.followed_)
      if (change.is_presence && !change.is_done && change.shard == shard.value
          && change.number > 0 && change.number <= deltas) {
        change.is_done = true;
        x.note(trace_hop::in_effect, change, where);
      }
  });
}

} // namespace fantail
