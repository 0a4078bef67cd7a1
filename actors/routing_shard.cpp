// SPDX-License-Identifier: MIT
#include "actors/routing_shard.hpp"

#include "core/snapshot/instance_names.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;

void routing_shard_state::start(routing_shard_deps x) {
  deps = std::move(x);
  if (deps.restored)
    router.emplace(std::move(*deps.restored));
  else
    router.emplace(deps.shard);
  deps.restored = nullptr;
  router->restart_begins_at(restart_from_ns);
  counts = &deps.env.counts->shard[deps.shard.value];
  lists.resize(deps.egresses.size());
  needed.assign(deps.egresses.size(), position{UINT64_MAX});
  presence.resize(deps.presence_shards);
  told.resize(deps.presence_shards);
  created_at = deps.created_at;
  checkpointed = deps.settled;
  begin_epoch({deps.owner, deps.settled});
}

/// To route is the one thing that can be repeated: it changes nothing in the
/// table, and what was sent already goes out under the same number.
void routing_shard_state::recover() {
  if (!at_hand)
    throw state_damaged("it failed amid a message that cannot be repeated");
  if (!router->check_invariants())
    throw state_damaged("the routing table is damaged");
  if (auto problem = settling->check_invariants())
    throw state_damaged(*problem);
}

void routing_shard_state::begin_epoch(shard_position head) {
  owner = head.epoch;
  settling.emplace(head.at);
  for (auto& egress : deps.egresses)
    self->send(egress, shard_begun{deps.shard, head});
}

void routing_shard_state::on_pulled(const pulled& x) {
  if (is_claiming) {
    held.push_back(x.events);
    return;
  }
  // What the last actor had routed, but not sent to all, is sent again under
  // the same number: an egress takes a number in once.
  auto& events = x.events;
  auto is_known = !events->empty() && events != at_hand
                  && events->to <= settling->opened_to();
  if (!is_known)
    route(events);
  else if (source)
    self->send(source, pull_settled{events->byte_count()});
}

void routing_shard_state::route(const pull_ptr& events) {
  auto begin = to_ns(deps.env.clock->now());
  auto is_again = std::exchange(at_hand, events) == events && is_opened;
  router->route(*events, lists);
  auto number = settling->next_number() - (is_again ? 1 : 0);
  auto egresses = static_cast<unsigned>(deps.egresses.size());
  if (!is_again)
    settling->opened(number, events->to, settle_tracker::first_groups(egresses),
                     events->byte_count());
  is_opened = true;
  count_spreads(*events);
  for (size_t i = 0; i < lists.size(); ++i) {
    auto part = std::make_shared<delivery>();
    part->source = events;
    part->owner = owner;
    part->number = number;
    part->targets = std::move(lists[i]);
    self->send(deps.egresses[i], deliver{std::move(part)});
  }
  if (!events->empty())
    pull_ends.emplace_back(events->to,
                           events->stored_at_ns(events->size() - 1));
  pending = events->pending;
  if (!events->empty())
    stored.note((*events)[0].pos, events->stored_at_ns(0));
  auto size = events->size();
  auto took = to_ns(deps.env.clock->now()) - begin;
  auto& after = router->counters();
  counts->rejected.add(events->rejected);
  if (size > 0) {
    counts->lookup.record(took / static_cast<int64_t>(size), size);
    counts->batch.record(took);
    counts->batch_size.record(size);
  }
  counts->events.set(after.events);
  counts->unroutable.set(after.unroutable);
  counts->deliveries.set(after.deliveries);
  counts->routed_to.set(events->to.value);
  if (deps.env.counts->traces.is_watched())
    deps.env.counts->traces.routed(*events, number, spreads, scene());
  tell_all_progress();
  at_hand = nullptr;
  is_opened = false;
}

void routing_shard_state::count_spreads(const pull& events) {
  spreads.assign(events.size(), 0);
  for (auto& list : lists) {
    uint32_t begin = 0;
    for (auto& item : list.items) {
      spreads[item.event] += item.end - begin;
      begin = item.end;
    }
  }
  for (size_t i = 0; i < events.size(); ++i) {
    counts->publishes_per_message.record(spreads[i]);
    hot.count(events.channel_of(i), spreads[i]);
  }
}

void routing_shard_state::on_found(const log_found& x) {
  source = sender_of_current<puller_actor>(self);
  created_at = x.state.created_at;
  if (x.state.last <= settling->opened_to())
    router->idle();
  tell_all_progress();
}

void routing_shard_state::on_lost(const positions_lost& x) {
  counts->lost_positions.add(x.to.value - x.from.value);
  auto before = settling->settled();
  auto bytes = settling->unsettled_bytes();
  settling->opened(settling->next_number(), x.to, 0, 0);
  settled_more(before, bytes);
}

void routing_shard_state::on_restarted(const log_restarted& x) {
  is_claiming = true;
  // What the old life had in flight is given back as credit; its
  // confirmations will name an epoch that nobody counts any more.
  if (source && settling->unsettled_bytes() > 0)
    self->send(source, pull_settled{settling->unsettled_bytes()});
  settling.emplace(position{0});
  router->restarted();
  stored.clear();
  needed.assign(needed.size(), position{UINT64_MAX});
  auto me = handle_of(*this);
  deps.env.control->claim_epoch(
      deps.shard, owner, [me, state = x.state](fantail::epoch claimed) {
        caf::anon_send(me, epoch_claimed{claimed, state});
      });
}

void routing_shard_state::on_epoch(const epoch_claimed& x) {
  is_claiming = false;
  created_at = x.state.created_at;
  checkpointed = position{0};
  pull_ends.clear();
  begin_epoch({x.owner, position{0}});
  deps.env.reports->warn(name, "shard-begun-anew",
                         {{"shard", std::to_string(deps.shard.value)},
                          {"epoch", std::to_string(owner.value)}});
  for (auto& events : std::exchange(held, {}))
    route(events);
}

void routing_shard_state::on_delta(const apply_delta& x) {
  auto from = x.delta->from.value;
  if (from >= presence.size())
    return;
  presence[from] = sender_of_current<presence_shard_actor>(self);
  if (router->apply(*x.delta) == delta_outcome::gap)
    deps.env.reports->error(name, "delta-gap",
                            {{"presence_shard", std::to_string(from)},
                             {"number", std::to_string(x.delta->number)}});
  tell_progress(from);
  if (!router->watches().empty())
    tell_watched();
}

void routing_shard_state::on_replayed(const log_replayed& x) {
  auto bit = uint64_t{1} << x.from.value;
  auto all = settle_tracker::first_groups(deps.presence_shards);
  if (x.from.value >= deps.presence_shards || (replayed & bit) != 0)
    return;
  replayed |= bit;
  if (replayed == all)
    self->send(deps.guard, table_exact{deps.shard});
}

/// Copies the state in one go, so that all of it is of one moment; who writes
/// it down does so later, and nothing waits.
void routing_shard_state::on_take_snapshot(const take_snapshot& x) {
  auto image = std::make_shared<snapshot_image>();
  for (uint16_t i = 0; i < deps.presence_shards; ++i)
    image->about.logs.emplace_back(presence_shard_id{i},
                                   router->log_of(presence_shard_id{i}));
  byte_writer out{limits::snapshot_part_bytes, snapshot_part_head,
                  std::move(*x.buffers)};
  save_instances(*deps.env.instances, out);
  router->save(out);
  image->chunks = out.take();
  self->send(sender_of_current<snapshot_keeper_actor>(self),
             snapshot_taken{source_of(deps.shard), std::move(image)});
}

void routing_shard_state::tell_progress(size_t presence_shard) {
  auto& peer = presence[presence_shard];
  if (!peer)
    return;
  auto id = presence_shard_id{static_cast<uint16_t>(presence_shard)};
  delta_progressed now{deps.shard, router->applied_number(id),
                       router->drained_number(id),
                       std::max(settling->opened_to(), router->routed_to())};
  auto& last = told[presence_shard];
  if (now.applied == last.applied && now.drained == last.drained)
    return;
  last = now;
  self->send(peer, now);
}

void routing_shard_state::tell_all_progress() {
  for (size_t i = 0; i < presence.size(); ++i)
    tell_progress(i);
}

void routing_shard_state::on_delivered(const delivered& x) {
  if (x.owner != owner || is_claiming)
    return;
  auto before = settling->settled();
  auto bytes = settling->unsettled_bytes();
  if (settling->confirmed(x.number, x.group))
    settled_more(before, bytes);
}

void routing_shard_state::settled_more(position before, size_t bytes_before) {
  if (settling->settled() == before)
    return;
  auto freed = bytes_before - settling->unsettled_bytes();
  if (source && freed > 0)
    self->send(source, pull_settled{freed});
  counts->settled_to.set(settling->settled().value);
  if (deps.env.counts->traces.is_watched())
    deps.env.counts->traces.settled(deps.shard, settling->settled(), scene());
}

void routing_shard_state::on_select(const select_range& x) {
  range_selected answer{x.request, owner, settling->opened_to(), {}};
  router->select(*x.events, x.instance, answer.events);
  self->send(x.reply_to, std::move(answer));
}

// -- questions about presence

void routing_shard_state::on_find_users(const find_channel_users& x) {
  searches.push_back({x.question, router->counters().deltas,
                      channel_scan{x.channel, x.from, x.limit},
                      sender_of_current<presence_desk_actor>(self)});
  if (searches.size() == 1)
    self->send(handle_of(*this), search_on{});
}

void routing_shard_state::on_search() {
  if (searches.empty())
    return;
  auto& x = searches.front();
  if (x.scan.step(router->table(), limits::query_slice_users)) {
    auto online = count_online(router->table(), x.scan.channel());
    auto next = x.scan.next();
    self->send(x.reply_to, channel_users_found{x.question, deps.shard,
                                               x.version, std::move(online),
                                               x.scan.take_found(), next});
    searches.pop_front();
  }
  // What came in meanwhile has its turn first.
  if (!searches.empty())
    self->send(handle_of(*this), search_on{});
}

void routing_shard_state::on_watch(const watch_channel& x) {
  desk = sender_of_current<presence_desk_actor>(self);
  if (x.is_on)
    router->watches().add(x.channel);
  else
    router->watches().remove(x.channel);
}

void routing_shard_state::tell_watched() {
  channel_presence_changed news;
  news.version = router->counters().deltas;
  router->watches().take(news.changes, news.missed);
  if (!news.changes.empty() || !news.missed.empty())
    self->send(desk, std::move(news));
}

void routing_shard_state::on_ranges_needed(const ranges_needed& x) {
  needed[x.group] = x.at;
  auto oldest = *std::min_element(needed.begin(), needed.end());
  router->keep_departures_since(
      oldest == position{UINT64_MAX} ? INT64_MAX : stored.time_behind(oldest));
}

void routing_shard_state::on_tick(const tick& x) {
  sample_wait(deps.env, name, x);
  if (x.now < next_second)
    return;
  next_second = x.now + 1s;
  hot.tick(x.now);
  publish_counts();
  if (is_claiming)
    return;
  move_restart_point();
  if (settling->settled() == checkpointed)
    return;
  checkpointed = settling->settled();
  deps.env.control->checkpoint(deps.shard, owner, created_at, checkpointed);
}

/// The checkpoint of a second ago is stored by now: a restart begins there or
/// later, and departures before it matter no more.
void routing_shard_state::move_restart_point() {
  router->restart_begins_at(std::exchange(restart_from_ns, checkpointed_ns));
  for (; !pull_ends.empty() && pull_ends.front().first <= checkpointed;
       pull_ends.pop_front())
    checkpointed_ns = pull_ends.front().second;
}

void routing_shard_state::publish_counts() {
  auto unsettled = settling->opened_to().value - settling->settled().value;
  counts->lag.set(pending + unsettled);
  auto& table = router->table();
  counts->table_channels.set(table.channels().size());
  counts->table_users.set(table.users().users_online());
  counts->table_memberships.set(table.users().memberships());
  counts->table_bytes.set(table_bytes());
  tell_bytes(deps.env, table_bytes());
}

size_t routing_shard_state::table_bytes() const {
  auto& table = router->table();
  return table.channels().byte_count() + table.rows().byte_count()
         + table.users().byte_count();
}

routing_shard_actor::behavior_type
routing_shard(component<routing_shard_actor, routing_shard_state>* self,
              routing_shard_deps deps) {
  auto& state = enter(self, std::move(deps));
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [&state](const inspect_node& x) { state.on_inspect(x); },
      [&state](const inspect_routes& x) { state.on_inspect_routes(x); },
      [&state](const inspect_channels& x) { state.on_inspect_channels(x); },
      [&state](const explain_route& x) { state.on_explain(x); },
      // -- pull_sink_actor
      [&state](const pulled& x) { state.on_pulled(x); },
      [&state](const log_found& x) { state.on_found(x); },
      [&state](const positions_lost& x) { state.on_lost(x); },
      [&state](const log_restarted& x) { state.on_restarted(x); },
      [&state](const log_stalled&) { state.router->stalled(); },
      // -- routing_shard_actor
      [&state](const apply_delta& x) { state.on_delta(x); },
      [&state](const log_replayed& x) { state.on_replayed(x); },
      [&state](const delivered& x) { state.on_delivered(x); },
      [&state](const select_range& x) { state.on_select(x); },
      [&state](const ranges_needed& x) { state.on_ranges_needed(x); },
      [&state](const epoch_claimed& x) { state.on_epoch(x); },
      [&state](const take_snapshot& x) { state.on_take_snapshot(x); },
      [&state](const find_channel_users& x) { state.on_find_users(x); },
      [&state](const watch_channel& x) { state.on_watch(x); },
      [&state](const search_on&) { state.on_search(); },
  };
}

} // namespace fantail
