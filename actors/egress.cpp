// SPDX-License-Identifier: MIT
#include "actors/egress.hpp"

#include "messages/inspection.hpp"

#include <array>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

/// More unwritten bytes than this mean that the server does not keep up; what
/// comes then waits in the outboxes, where it can be dropped by class.
constexpr size_t unwritten_bytes_max = 8 * 1024 * 1024;

json::object by_class(const std::array<uint64_t, 3>& x) {
  return {{"critical", x[0]}, {"important", x[1]}, {"best_effort", x[2]}};
}

} // namespace

void egress_state::start(egress_deps x) {
  deps = std::move(x);
  group.emplace(deps.outboxes, *deps.env.instances);
  counts = &deps.env.counts->egress[deps.group];
  shards.resize(deps.shards);
  taken.resize(deps.shards);
}

/// What was taken in, published or confirmed by half can neither be finished
/// nor taken back.
void egress_state::recover() {
  throw state_damaged("it failed amid a message");
}

void egress_state::on_shard_begun(const shard_begun& x) {
  shards[x.shard.value] = sender_of_current<routing_shard_actor>(self);
  taken[x.shard.value] = 0;
  group->set_head(x.shard, x.head);
}

void egress_state::on_deliver(const deliver& x) {
  if (!x.what->source)
    return;
  auto& last = taken[x.what->source->shard.value];
  if (x.what->number <= last)
    return;
  last = x.what->number;
  for (auto index : x.what->targets.instances)
    counts->routed[index.value].add();
  group->accept(std::move(*x.what), incidents);
  schedule_flush();
}

void egress_state::schedule_flush() {
  // Whatever lies in the mailbox now comes before this message, so deliveries
  // that arrive together leave together, and one that comes alone leaves at
  // once.
  if (!std::exchange(flush_is_due, true))
    self->send(handle_of(*this), flush_outboxes{});
}

void egress_state::on_flush() {
  flush_is_due = false;
  if (life == 0 || deps.bus->buffered() > unwritten_bytes_max) {
    report_incidents();
    return;
  }
  std::vector<std::pair<int64_t, uint64_t>> received;
  auto& traces = deps.env.counts->traces;
  auto is_watched = traces.is_watched();
  std::vector<std::pair<shard_id, uint64_t>> followed;
  for (auto& x : group->unflushed())
    if (!x.targets.empty()) {
      received.emplace_back(x.source->received_at_ns, x.targets.items.size());
      if (is_watched)
        followed.emplace_back(x.source->shard, x.number);
    }
  auto begin = to_ns(deps.env.clock->now());
  group->flush(*deps.bus, incidents);
  deps.bus->flush();
  auto end = to_ns(deps.env.clock->now());
  if (!received.empty())
    counts->publish.record(end - begin);
  for (auto [at, events] : received)
    counts->total.record(end - at, events);
  for (auto [shard, number] : followed)
    traces.passed(trace_hop::written, shard, number, scene_of(deps.env, name));
  report_incidents();
}

void egress_state::on_marker(const marker_returned& x) {
  if (x.life != life)
    return;
  confirmations.clear();
  group->confirmed(x.number, confirmations, incidents);
  report_incidents();
  auto& traces = deps.env.counts->traces;
  if (traces.is_watched())
    for (auto& done : confirmations)
      traces.passed(trace_hop::confirmed, done.shard, done.number,
                    scene_of(deps.env, name));
  for (auto& done : confirmations)
    if (auto& shard = shards[done.shard.value])
      self->send(shard, delivered{done.owner, done.number, deps.group});
  if (group->is_pending())
    schedule_flush();
}

void egress_state::on_link(const link_changed& x) {
  if (!x.is_up)
    life = 0;
}

void egress_state::on_reopened(const link_reopened& x) {
  life = x.life;
  group->rewind(incidents);
  deps.env.reports->info(name, "link-open",
                         {{"egress", std::to_string(deps.group)}});
  schedule_flush();
}

void egress_state::on_admit(const admit_instance& x) {
  auto begins = group->admit(x.index, x.profile, x.start);
  self->send(
      sender_of_current<registrar_actor>(self),
      instance_admitted{x.index, x.profile, x.reply_to, std::move(begins)});
}

void egress_state::on_died(const instance_died& x) {
  group->silenced(x.index, incidents);
  report_incidents();
}

void egress_state::on_unheard(const instance_unheard& x) {
  group->unheard(x.index);
}

void egress_state::tell_ranges_needed() {
  for (uint16_t i = 0; i < shards.size(); ++i)
    if (auto at = group->oldest_needed(shard_id{i}); at && shards[i])
      self->send(shards[i], ranges_needed{deps.group, *at});
}

void egress_state::on_acknowledge(const acknowledge_positions& x) {
  for (auto& [shard, at] : x.positions)
    group->acknowledge(x.index, x.incarnation, shard, at, incidents);
  report_incidents();
}

void egress_state::report_incidents() {
  for (auto& x : incidents) {
    std::string instance{deps.env.instances->name_of(x.instance)};
    switch (x.what) {
    case outbox_group::incident::kind::dropped:
      deps.env.reports->warn(name, "event-dropped",
                             {{"instance", instance},
                              {"class", std::string{to_string(x.cls)}},
                              {"count", std::to_string(x.count)},
                              {"reason", "queue_overflow"}});
      break;
    case outbox_group::incident::kind::lagging:
      deps.env.reports->warn(name, "instance-lagging",
                             {{"instance", instance}});
      break;
    case outbox_group::incident::kind::absent:
      deps.env.reports->info(name, "instance-absent", {{"instance", instance}});
      break;
    case outbox_group::incident::kind::heard:
      deps.env.reports->info(name, "instance-heard", {{"instance", instance}});
      break;
    case outbox_group::incident::kind::live:
      deps.env.reports->info(name, "instance-live", {{"instance", instance}});
      break;
    }
  }
  incidents.clear();
}

void egress_state::on_tick(const tick& x) {
  sample_wait(deps.env, name, x);
  if (group->is_pending())
    schedule_flush();
  if (x.now < next_second)
    return;
  next_second = x.now + 1s;
  if (life != 0) {
    // Positions are told behind everything pending.
    on_flush();
    group->tell_positions(*deps.bus);
    deps.bus->flush();
    group->ask_soon();
  }
  tell_ranges_needed();
  publish_counts();
}

void egress_state::publish_counts() {
  auto& now = group->stats();
  counts->messages.set(now.messages);
  counts->bytes.set(now.bytes);
  counts->deliveries.set(now.deliveries);
  counts->dropped_best_effort.set(now.dropped_best_effort);
  counts->dropped_important.set(now.dropped_important);
  counts->lagging.set(now.lagging_begun);
  counts->unheard.set(now.unheard);
  counts->absent.set(now.absent);
  counts->rewinds.set(now.rewinds);
  counts->unconfirmed_bytes.set(group->unconfirmed_bytes());
  tell_bytes(deps.env, group->unconfirmed_bytes());
}

void egress_state::on_inspect(const inspect_node& x) {
  std::vector<inspection::instance_view> views;
  auto size = static_cast<uint16_t>(deps.env.instances->size());
  for (uint16_t i = 0; i < size; ++i) {
    auto* box = group->find(instance_index{i});
    if (!box)
      continue;
    inspection::instance_view view{box->profile().name,
                                   box->profile().format,
                                   box->profile().incarnation,
                                   box->is_lagging(),
                                   box->pending_events(),
                                   box->pending_bytes(),
                                   box->unacknowledged_bytes(),
                                   instance_index{i},
                                   box->is_absent(),
                                   box->pending_by_class()};
    auto drops = group->drops_of(instance_index{i});
    view.overflow_by_class = drops.overflow_by_class;
    view.unheard = drops.unheard;
    for (size_t shard = 0; shard < box->told().size(); ++shard)
      view.positions.emplace_back(box->told()[shard].at,
                                  box->acknowledged()[shard]);
    views.push_back(std::move(view));
  }
  x.into->add(std::move(views));
}

void egress_state::describe(json::object& out) const {
  auto& names = *deps.env.instances;
  std::array<uint64_t, 3> pending{};
  uint64_t boxes = 0, lagging = 0, bytes = 0;
  for (uint16_t i = 0; i < names.size(); ++i)
    if (auto* box = group->find(instance_index{i})) {
      ++boxes;
      lagging += box->is_lagging() ? 1 : 0;
      bytes += box->pending_bytes();
      for (size_t cls = 0; cls < pending.size(); ++cls)
        pending[cls] += box->pending_by_class()[cls];
    }
  auto& now = group->stats();
  out["kind"] = "egress";
  out["group"] = deps.group;
  out["instances"] = boxes;
  out["lagging"] = lagging;
  out["bytes"] = bytes;
  out["unconfirmed_bytes"] = uint64_t{group->unconfirmed_bytes()};
  out["events_by_class"] = by_class(pending);
  out["drops_by_class"]
      = by_class({0, now.dropped_important, now.dropped_best_effort});
  out["drops_by_reason"] = json::object{
      {"queue_overflow", now.dropped_important + now.dropped_best_effort},
      {"nobody_listens", now.unheard}};
  out["sequence"] = group->last_marker();
  out["confirmed_sequence"] = group->confirmed_marker();
  out["is_link_up"] = life != 0;
}

egress_actor::behavior_type egress(component<egress_actor, egress_state>* self,
                                   egress_deps deps) {
  auto& state = enter(self, std::move(deps));
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [&state](const inspect_node& x) { state.on_inspect(x); },
      [&state](const deliver& x) { state.on_deliver(x); },
      [&state](const shard_begun& x) { state.on_shard_begun(x); },
      [&state](const admit_instance& x) { state.on_admit(x); },
      [&state](const acknowledge_positions& x) { state.on_acknowledge(x); },
      [&state](const instance_died& x) { state.on_died(x); },
      [&state](const instance_unheard& x) { state.on_unheard(x); },
      [&state](const marker_returned& x) { state.on_marker(x); },
      [&state](const link_reopened& x) { state.on_reopened(x); },
      [&state](const link_changed& x) { state.on_link(x); },
      [&state](const flush_outboxes&) { state.on_flush(); },
  };
}

} // namespace fantail
