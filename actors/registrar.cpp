// SPDX-License-Identifier: MIT
#include "actors/registrar.hpp"

#include "core/subject.hpp"
#include "messages/inspection.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

/// A tick that is this late shows that the process stood still and has heard
/// nobody.
constexpr auto tick_gap_max = 1s;

life_start start_of(const register_instance& life, uint16_t shards) {
  life_start result;
  result.resumes = life.start == start_from::acknowledged;
  if (life.positions.empty())
    return result;
  result.kept.resize(shards);
  for (auto& x : life.positions)
    if (x.shard.value < shards)
      result.kept[x.shard.value] = shard_position{x.epoch, x.at};
  return result;
}

} // namespace

void registrar_state::start(registrar_deps x) {
  deps = std::move(x);
  watch.emplace(deps.watch);
}

void registrar_state::on_pulled(const pulled& x) {
  for (size_t i = 0; i < x.events->size(); ++i)
    apply((*x.events)[i]);
  read_to = x.events->to;
  self->send(source, pull_settled{x.events->byte_count()});
  check_replayed();
}

void registrar_state::apply(const chat_event& record) {
  auto parsed = decode_registration(record.body);
  if (!parsed) {
    refuse(record, parsed.reply_to, parsed.reason, parsed.detail);
    return;
  }
  auto index = deps.env.instances->intern(record.channel);
  auto* life = std::get_if<register_instance>(&*parsed);
  if (!index)
    refuse(record, parsed.reply_to, control_reject::too_many_instances,
           "this node knows as many instances as it can");
  else if (life)
    admit(*index, *life, record.channel);
  else
    leave(*index, std::get<deregister_instance>(*parsed));
}

void registrar_state::admit(instance_index index, const register_instance& life,
                            std::string_view instance) {
  watch->admitted(index, life.format, deps.env.clock->now());
  // What a life wanted when it began says nothing about where it is now.
  auto start = is_replayed ? start_of(life, deps.shards) : life_start{};
  send_admission(index, {std::string{instance}, life.format, life.incarnation},
                 is_replayed ? life.reply_to : std::string{}, std::move(start));
}

void registrar_state::leave(instance_index index,
                            const deregister_instance& life) {
  auto& known = instances[index.value];
  auto is_newest = known.profile.incarnation.empty()
                   || known.profile.incarnation == life.incarnation;
  // A life that another one has replaced speaks for nobody.
  if (is_replayed && !is_newest)
    return;
  watch->left(index);
  known.left = life.incarnation;
  if (is_replayed)
    for (auto& shard : deps.presence)
      self->send(shard, instances_left{{index}});
  std::string name{deps.env.instances->name_of(index)};
  send_admission(index, {std::move(name), {}, {}}, {}, {});
}

void registrar_state::send_admission(instance_index index,
                                     instance_profile profile,
                                     std::string reply_to, life_start start) {
  instances[index.value].profile = profile;
  seen.push_back(index);
  auto& egress = deps.egresses[index.value % deps.egresses.size()];
  self->send(egress, admit_instance{index, std::move(profile),
                                    std::move(reply_to), std::move(start)});
}

void registrar_state::refuse(const chat_event& record,
                             const std::string& reply_to, control_reject reason,
                             std::string_view detail) {
  if (!is_replayed)
    return;
  auto subject
      = subjects::of_instance(subjects::instance_register, record.channel);
  deps.env.control->bury({"register", subject, record.body, to_string(reason),
                          detail, record.pos});
  if (reply_to.empty())
    return;
  registration_rejected answer{std::string{record.channel}, reason,
                               std::string{detail}};
  deps.env.control->answer(reply_to, encode(registration_reply{answer}));
}

void registrar_state::on_admitted(const instance_admitted& x) {
  auto& known = instances[x.index.value];
  if (x.profile.format == delivery_format::frame && !known.outbox)
    known.outbox = deps.spawn_outbox(x.index);
  if (known.outbox)
    self->send(known.outbox, x);
  if (x.reply_to.empty())
    return;
  instance_registered answer;
  answer.instance = x.profile.name;
  answer.incarnation = x.profile.incarnation;
  answer.shards = deps.shards;
  answer.presence_shards = deps.presence_shards;
  answer.heartbeat_ms = deps.heartbeat_ms;
  answer.frame_bytes_max = deps.frame_bytes_max;
  answer.ttl_ms = static_cast<uint32_t>(deps.watch.ttl / 1ms);
  for (size_t i = 0; i < x.heads.size(); ++i)
    answer.positions.push_back(
        {shard_id{static_cast<uint16_t>(i)}, x.heads[i].epoch, x.heads[i].at});
  deps.env.control->answer(x.reply_to, encode(registration_reply{answer}));
}

void registrar_state::on_found(const log_found& x) {
  source = sender_of_current<puller_actor>(self);
  if (!replay_to)
    replay_to = x.state.last;
  check_replayed();
}

void registrar_state::check_replayed() {
  if (is_replayed || !replay_to || read_to < *replay_to)
    return;
  is_replayed = true;
  self->send(deps.guard, instances_replayed{});
}

void registrar_state::on_spoke(const instance_spoke& x) {
  auto index = deps.env.instances->find(x.instance);
  switch (x.what) {
  case instance_spoke::kind::heartbeat:
    on_heartbeat(index, x);
    break;
  case instance_spoke::kind::ack:
    if (index)
      on_ack(*index, x);
    else
      bury(x, "ack", control_reject::unknown_instance,
           "the instance never registered");
    break;
  case instance_spoke::kind::range:
    on_range(index, x);
    break;
  }
}

void registrar_state::on_heartbeat(std::optional<instance_index> index,
                                   const instance_spoke& x) {
  heartbeat_reply answer;
  auto parsed = decode_heartbeat(x.body);
  if (!parsed)
    bury(x, "heartbeat", parsed.reason, parsed.detail);
  if (!index) {
    deps.env.counts->rejected.add("heartbeat/unknown_instance");
    answer.refusal = control_reject::unknown_instance;
  } else if (is_of_old_life(*index, parsed ? parsed->incarnation : "")) {
    deps.env.counts->rejected.add("heartbeat/old_incarnation");
    answer.refusal = control_reject::old_incarnation;
  } else {
    hear(*index);
    answer.lapses = watch->lapses(*index);
  }
  if (is_reply_subject(x.reply_to))
    deps.env.control->answer(x.reply_to, encode(answer));
}

bool registrar_state::is_of_old_life(instance_index index,
                                     const std::string& incarnation) const {
  auto known = instances.find(index.value);
  if (incarnation.empty() || known == instances.end())
    return false;
  auto& newest = known->second.profile.incarnation;
  return newest.empty() ? known->second.left == incarnation
                        : newest != incarnation;
}

void registrar_state::hear(instance_index index) {
  seen.push_back(index);
  if (!watch->heard(index, deps.env.clock->now()))
    return;
  // Presence has to know before its time to live is over.
  tell_seen();
  deps.env.reports->info(
      name, "instance-returned",
      {{"instance", std::string{deps.env.instances->name_of(index)}}});
}

void registrar_state::on_ack(instance_index index, const instance_spoke& x) {
  auto parsed = decode_ack(x.body);
  if (!parsed) {
    bury(x, "ack", parsed.reason, parsed.detail);
    return;
  }
  if (is_of_old_life(index, parsed->incarnation)) {
    deps.env.counts->rejected.add("ack/old_incarnation");
    return;
  }
  hear(index);
  auto& egress = deps.egresses[index.value % deps.egresses.size()];
  self->send(egress, acknowledge_positions{index, parsed->incarnation,
                                           parsed->positions});
}

void registrar_state::on_range(std::optional<instance_index> index,
                               const instance_spoke& x) {
  auto refuse_range = [&](control_reject reason) {
    if (is_reply_subject(x.reply_to))
      deps.env.control->answer(x.reply_to, encode(range_rejected{reason, {}}));
  };
  auto parsed = decode_range_request(x.body);
  if (!parsed) {
    bury(x, "range", parsed.reason, parsed.detail);
    refuse_range(parsed.reason);
    return;
  }
  auto known = index ? instances.find(index->value) : instances.end();
  if (known == instances.end() || !known->second.outbox) {
    refuse_range(control_reject::unknown_instance);
    return;
  }
  if (is_of_old_life(*index, parsed->incarnation)) {
    refuse_range(control_reject::old_incarnation);
    return;
  }
  hear(*index);
  if (known->second.profile.incarnation != parsed->incarnation)
    refuse_range(control_reject::unknown_instance);
  else if (parsed->shard.value >= deps.shards)
    refuse_range(control_reject::unknown_shard);
  else if (is_reply_subject(x.reply_to))
    self->send(known->second.outbox, serve_range{*parsed, x.reply_to});
}

void registrar_state::bury(const instance_spoke& x, std::string_view source,
                           control_reject reason, std::string_view detail) {
  auto subject = "instance." + std::string{source} + "." + x.instance;
  deps.env.control->bury(
      {source, subject, x.body, to_string(reason), detail, std::nullopt});
}

/// The egresses show the instances; who is dead is known here.
void registrar_state::on_inspect(const inspect_node& x) {
  std::vector<instance_index> silent;
  auto count = static_cast<uint16_t>(deps.env.instances->size());
  for (uint16_t i = 0; i < count; ++i)
    if (watch->is_dead(instance_index{i}))
      silent.push_back(instance_index{i});
  x.into->add_silent(std::move(silent));
}

void registrar_state::on_link(const link_changed& x) {
  auto now = deps.env.clock->now();
  if (x.is_up) {
    watch->resume(now);
    renew_everybody();
  } else {
    watch->pause(now);
  }
  for (auto& shard : deps.presence)
    self->send(shard, x);
}

/// Nobody could be heard for a while, so nobody's silence counts.
void registrar_state::renew_everybody() {
  auto count = static_cast<uint16_t>(deps.env.instances->size());
  for (uint16_t i = 0; i < count; ++i)
    seen.push_back(instance_index{i});
  tell_seen();
}

void registrar_state::on_tick(const tick& x) {
  sample_wait(deps.env, name, x);
  if (ticked != time_point{} && x.now - ticked > tick_gap_max)
    renew_everybody();
  ticked = x.now;
  died.clear();
  watch->tick(x.now, died);
  for (auto index : died) {
    deps.env.reports->warn(
        name, "instance-dead",
        {{"instance", std::string{deps.env.instances->name_of(index)}}});
    self->send(deps.egresses[index.value % deps.egresses.size()],
               instance_died{index});
  }
  deps.env.counts->instances_dead.set(watch->dead_count());
  if (x.now < next_second)
    return;
  next_second = x.now + 1s;
  tell_seen();
}

void registrar_state::tell_seen() {
  if (seen.empty())
    return;
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  for (auto& shard : deps.presence)
    self->send(shard, instances_seen{seen});
  seen.clear();
}

registrar_actor::behavior_type
registrar(component<registrar_actor, registrar_state>* self,
          registrar_deps deps) {
  auto& state = enter(self, std::move(deps));
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [&state](const inspect_node& x) { state.on_inspect(x); },
      // -- pull_sink_actor
      [&state](const pulled& x) { state.on_pulled(x); },
      [&state](const log_found& x) { state.on_found(x); },
      [](const positions_lost&) {
        // The stream keeps the newest registration of each instance only, so
        // there always are positions without one.
      },
      [&state](const log_restarted&) { state.read_to = position{0}; },
      [](const log_stalled&) {
        // Nothing here depends on knowing the end of the log.
      },
      // -- registrar_actor
      [&state](const instance_spoke& x) { state.on_spoke(x); },
      [&state](const instance_admitted& x) { state.on_admitted(x); },
      [&state](const link_changed& x) { state.on_link(x); },
  };
}

} // namespace fantail
