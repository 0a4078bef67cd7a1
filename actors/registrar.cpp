// SPDX-License-Identifier: MIT
#include "actors/registrar.hpp"

#include "actors/component.hpp"
#include "core/subject.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;

void registrar_state::start(registrar_deps x) {
  deps = std::move(x);
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
  instance_profile profile{std::string{record.channel}, {}, {}};
  std::string reply_to;
  if (auto* life = std::get_if<register_instance>(&*parsed)) {
    profile.format = life->format;
    profile.incarnation = life->incarnation;
    reply_to = life->reply_to;
  }
  if (!index) {
    refuse(record, reply_to, control_reject::too_many_instances,
           "this node knows as many instances as it can");
    return;
  }
  admit(*index, std::move(profile), is_replayed ? reply_to : std::string{});
}

void registrar_state::admit(instance_index index, instance_profile profile,
                            std::string reply_to) {
  instances[index.value].profile = profile;
  seen.push_back(index);
  auto& egress = deps.egresses[index.value % deps.egresses.size()];
  self->send(egress,
             admit_instance{index, std::move(profile), std::move(reply_to)});
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
  if (index)
    seen.push_back(*index);
  switch (x.what) {
  case instance_spoke::kind::heartbeat:
    if (!index)
      deps.env.counts->rejected.add("heartbeat/unknown_instance");
    else if (auto parsed = decode_heartbeat(x.body); !parsed)
      bury(x, "heartbeat", parsed.reason, parsed.detail);
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

void registrar_state::on_ack(instance_index index, const instance_spoke& x) {
  auto parsed = decode_ack(x.body);
  if (!parsed) {
    bury(x, "ack", parsed.reason, parsed.detail);
    return;
  }
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
  if (known == instances.end() || !known->second.outbox)
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

void registrar_state::on_tick(const tick& x) {
  sample_wait(deps.env, name, x);
  if (x.now < next_second)
    return;
  next_second = x.now + 1s;
  if (seen.empty())
    return;
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  for (auto& shard : deps.presence)
    self->send(shard, instances_seen{seen});
  seen.clear();
}

registrar_actor::behavior_type
registrar(registrar_actor::stateful_pointer<registrar_state> self,
          registrar_deps deps) {
  install_handlers(self, deps.env);
  auto& state = self->state;
  state.self = self;
  state.start(std::move(deps));
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [](const inspect_node&) {
        // The egresses show the instances.
      },
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
  };
}

} // namespace fantail
