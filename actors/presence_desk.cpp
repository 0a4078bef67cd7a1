// SPDX-License-Identifier: MIT
#include "actors/presence_desk.hpp"

#include "core/hash.hpp"
#include "core/subject.hpp"

#include <utility>

namespace fantail {

namespace {

constexpr auto by_channel = presence_topic::kind::channel;

std::string_view source_of(const presence_asked& x) {
  return x.what == presence_asked::kind::query ? "query" : "watch";
}

} // namespace

void presence_desk_state::start(presence_desk_deps x) {
  deps = std::move(x);
  now = deps.env.clock->now();
  questions.emplace(deps.life, *deps.env.instances);
  watches.emplace(
      watch_book_config{deps.life, deps.watch_lease, deps.watch_interval});
  watched_channels.resize(deps.routing.size());
}

// -- questions

void presence_desk_state::on_asked(const presence_asked& x) {
  auto is_channel = x.topic.about == by_channel;
  deps.env.counts->events.add("presence_desk/" + std::string{source_of(x)});
  if (!is_token(x.topic.name))
    refuse(x,
           is_channel ? control_reject::illegal_channel
                      : control_reject::illegal_user,
           "the last token of the subject is no name");
  else if (!is_reply_subject(x.reply_to))
    refuse(x, control_reject::malformed, "there is nobody to answer");
  else if (!is_open)
    refuse(x, control_reject::busy, "presence is being replayed");
  else if (x.what == presence_asked::kind::watch)
    watch(x);
  else if (is_channel)
    query_channel(x);
  else
    query_user(x);
}

void presence_desk_state::query_user(const presence_asked& x) {
  if (auto number = questions->open(x.topic, x.reply_to, now))
    self->send(home_of(x.topic.name), find_user{*number, x.topic.name});
  else
    refuse(x, control_reject::busy, "too many questions wait");
}

void presence_desk_state::query_channel(const presence_asked& x) {
  auto wanted = decode_channel_question(x.body);
  if (!wanted) {
    refuse(x, wanted.reason, wanted.detail);
    return;
  }
  auto number = questions->open(x.topic, x.reply_to, now);
  if (!number) {
    refuse(x, control_reject::busy, "too many questions wait");
    return;
  }
  self->send(deps.routing[shard_of_channel(x.topic.name).value],
             find_channel_users{*number, x.topic.name,
                                wanted->from.value_or(user_key{}),
                                wanted->limit});
}

void presence_desk_state::on_found(const channel_users_found& x) {
  std::vector<question_book::naming> needed;
  answer(questions->found_channel(
      x.question, {x.version, x.online, x.users, x.next}, needed));
  for (auto& part : needed)
    self->send(deps.presence[part.home.value],
               name_users{x.question, x.shard, std::move(part.users)});
}

void presence_desk_state::on_named(const users_named& x) {
  answer(questions->named(x.question, x.from, x.names));
}

void presence_desk_state::on_user(const user_found& x) {
  answer(questions->found_user(x.question, x.version, x.sessions));
}

void presence_desk_state::answer(const std::optional<question_book::reply>& x) {
  if (x)
    deps.env.control->answer(x->to, x->body);
}

void presence_desk_state::refuse(const presence_asked& x, control_reject reason,
                                 const std::string& detail) {
  auto subject = "presence." + std::string{source_of(x)} + "."
                 + std::string{to_string(x.topic.about)} + "." + x.topic.name;
  // Whoever has to try again made no mistake.
  if (reason == control_reject::busy)
    deps.env.counts->rejected.add(std::string{source_of(x)} + "/busy");
  else
    deps.env.control->bury({source_of(x), subject, x.body, to_string(reason),
                            detail, std::nullopt});
  if (is_reply_subject(x.reply_to))
    deps.env.control->answer(x.reply_to,
                             encode_rejected(x.topic, reason, detail));
}

// -- watches

void presence_desk_state::watch(const presence_asked& x) {
  auto wanted = decode_watch_request(x.body);
  if (!wanted) {
    refuse(x, wanted.reason, wanted.detail);
    return;
  }
  if (wanted->is_end) {
    if (watches->end(x.topic, wanted->deliver_to))
      turn(x.topic, false);
    deps.env.control->answer(x.reply_to, encode_ended(x.topic));
    return;
  }
  auto opened = has_room_for(x.topic)
                    ? watches->open(x.topic, wanted->deliver_to, now)
                    : watch_book::opened{control_reject::too_many_watches, {}};
  if (opened.reason != control_reject::none) {
    refuse(x, opened.reason, "this node keeps as many watches as it can");
    return;
  }
  if (opened.is_first)
    turn(x.topic, true);
  deps.env.control->answer(x.reply_to, encode(opened.answer));
}

bool presence_desk_state::has_room_for(const presence_topic& topic) const {
  return topic.about != by_channel || watches->has(topic)
         || watched_channels[shard_of_channel(topic.name).value]
                < limits::watched_channels_max;
}

/// Tells those who know a topic's changes whether they are wanted.
void presence_desk_state::turn(const presence_topic& topic, bool is_on) {
  if (topic.about != by_channel) {
    self->send(home_of(topic.name), watch_user{topic.name, is_on});
    return;
  }
  auto shard = shard_of_channel(topic.name);
  auto& count = watched_channels[shard.value];
  auto is_edge = is_on ? count++ == 0 : --count == 0;
  if (is_edge)
    for (auto& x : deps.presence)
      self->send(x, name_changes{shard, is_on});
  self->send(deps.routing[shard.value], watch_channel{topic.name, is_on});
}

void presence_desk_state::on_user_changed(const user_presence_changed& x) {
  std::vector<std::string> instances;
  for (auto instance : x.instances)
    instances.emplace_back(deps.env.instances->name_of(instance));
  watches->user_changed(x.user, x.version, std::move(instances));
}

void presence_desk_state::on_channel_changed(
    const channel_presence_changed& x) {
  for (auto& change : x.changes)
    watches->channel_changed(change.channel, x.version, change.user,
                             change.is_online);
  for (auto& channel : x.missed)
    watches->missed({by_channel, channel});
}

void presence_desk_state::on_tick(const tick& x) {
  now = x.now;
  sample_wait(deps.env, name, x);
  std::vector<question_book::reply> refused;
  questions->tick(now, refused);
  for (auto& late : refused) {
    deps.env.counts->rejected.add("query/busy");
    answer(late);
  }
  std::vector<watch_book::outgoing> due;
  std::vector<presence_topic> ended;
  watches->tick(now, due, ended);
  for (auto& message : due)
    deps.env.control->answer(message.deliver_to, message.body);
  for (auto& topic : ended)
    turn(topic, false);
}

// -- names

shard_id
presence_desk_state::shard_of_channel(const std::string& channel) const {
  return shard_of(channel, static_cast<uint16_t>(deps.routing.size()));
}

presence_shard_actor& presence_desk_state::home_of(const std::string& user) {
  auto count = static_cast<uint16_t>(deps.presence.size());
  return deps.presence[presence_shard_of(user, count).value];
}

presence_desk_actor::behavior_type
presence_desk(component<presence_desk_actor, presence_desk_state>* self,
              presence_desk_deps deps) {
  auto& state = enter(self, std::move(deps));
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [](const inspect_node&) {
        // The shards show what there is to see.
      },
      [&state](const presence_exact&) { state.is_open = true; },
      [&state](const presence_asked& x) { state.on_asked(x); },
      [&state](const user_presence_changed& x) { state.on_user_changed(x); },
      [&state](const channel_presence_changed& x) {
        state.on_channel_changed(x);
      },
      [&state](const channel_users_found& x) { state.on_found(x); },
      [&state](const users_named& x) { state.on_named(x); },
      [&state](const user_found& x) { state.on_user(x); },
  };
}

} // namespace fantail
