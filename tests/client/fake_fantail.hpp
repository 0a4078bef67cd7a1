// SPDX-License-Identifier: MIT
#pragma once

#include "core/control/instance_codec.hpp"
#include "core/frame.hpp"
#include "core/hash.hpp"
#include "core/presence/presence_codec.hpp"
#include "core/subject.hpp"
#include "tests/client/private_server.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace fantail::test {

/// Fantail and JetStream in two hundred lines, without durability: enough to
/// test clients against, and to make mistakes on purpose.
///
/// Everything is guarded by `mutex`, which handlers hold.
class fake_fantail {
public:
  struct instance_state {
    delivery_format format = delivery_format::single;
    std::string incarnation;
    int heartbeats = 0;
    instance_ack last_ack;
    /// `to` of the last section, per shard.
    std::map<uint16_t, uint64_t> sent_to;
  };

  struct stored_event {
    std::string channel, headers, body;
  };

  /// Mistakes to make; each says whether to err this time.
  struct faults {
    using decision = std::function<bool()>;
    static bool never() { return false; }
    static bool to_nobody(const std::string&) { return false; }

    decision loses_publish = never;
    decision loses_publish_ack = never;
    decision loses_answer = never;
    decision loses_delivery = never;
    /// In the format `single`.
    decision delivers_twice = never;
    /// Sends an event in the format `single` to this instance, too.
    std::function<bool(const std::string& instance)> delivers_in_excess
        = to_nobody;
  };

  explicit fake_fantail(const private_server& server)
      : connection_(loop_, server.options()) {
    auto on = [this](std::string_view prefix, auto handle) {
      connection_.subscribe(std::string{prefix} + "*",
                            [this, handle](const nats::message& x) {
                              std::lock_guard guard{mutex};
                              (this->*handle)(x);
                            });
    };
    on(subjects::chat_input, &fake_fantail::on_publish);
    on(subjects::presence_input, &fake_fantail::on_presence);
    on(subjects::instance_register, &fake_fantail::on_register);
    on(subjects::instance_heartbeat, &fake_fantail::on_heartbeat);
    on(subjects::instance_ack, &fake_fantail::on_ack);
    on(subjects::instance_range, &fake_fantail::on_range);
    connection_.start();
    connection_.wait_up(std::chrono::seconds{5});
    loop_.every(std::chrono::milliseconds{500}, [this](time_point) {
      std::lock_guard guard{mutex};
      tell_positions();
    });
  }

  static constexpr uint16_t shards = 4;

  std::mutex mutex;
  faults fault;
  std::map<std::string, instance_state> instances;
  /// Of each shard, behind position 0.
  std::array<std::vector<stored_event>, shards> log;
  std::map<std::string, std::set<std::string>> channels_of_user;
  std::map<std::string, std::map<std::string, std::string>> sessions_of_user;
  std::vector<std::pair<std::string, presence_update>> changes;
  int publishes = 0;

private:
  // -- JetStream -------------------------------------------------------------

  /// Answers a publish; false if the message is a repeat.
  bool store(const nats::message& x, const std::string& stream) {
    std::string id{header_value(x.headers, "Nats-Msg-Id")};
    auto [i, is_new] = stored_.try_emplace(id, 0);
    if (is_new)
      i->second = ++sequences_[stream];
    if (!fault.loses_publish_ack()) {
      auto ack = "{\"stream\":\"" + stream
                 + "\",\"seq\":" + std::to_string(i->second)
                 + (is_new ? "}" : ",\"duplicate\":true}");
      reply(x.reply, ack);
    }
    return is_new;
  }

  void reply(std::string_view to, std::string_view body) {
    if (!to.empty())
      connection_.publish(to, body);
  }

  // -- chat events -----------------------------------------------------------

  void on_publish(const nats::message& x) {
    ++publishes;
    if (fault.loses_publish())
      return;
    std::string channel{last_token(x.subject)};
    auto shard = shard_of(channel, shards).value;
    if (!store(x, subjects::shard_stream(shard)))
      return;
    log[shard].push_back(
        {channel, std::string{x.headers}, std::string{x.body}});
    for (auto& [name, state] : instances)
      deliver(name, state, shard);
  }

  bool wants(const std::string& instance, const std::string& channel) const {
    for (auto& [user, sessions] : sessions_of_user)
      for (auto& [session, where] : sessions)
        if (auto i = channels_of_user.find(user);
            where == instance && i != channels_of_user.end()
            && i->second.contains(channel))
          return true;
    return false;
  }

  void deliver(const std::string& name, instance_state& state, uint16_t shard) {
    auto subject = subjects::of_instance(subjects::instance_events, name);
    auto head = log[shard].size();
    auto from = std::exchange(state.sent_to[shard], head);
    if (fault.loses_delivery())
      return;
    if (state.format == delivery_format::frame) {
      auto bytes = section(name, shard, from, head, 0);
      if (connection_.buffered() < 64 * 1024 * 1024)
        connection_.publish(subject, bytes);
      return;
    }
    auto& event = log[shard].back();
    auto copies = wants(name, event.channel) ? 1 + fault.delivers_twice()
                                             : fault.delivers_in_excess(name);
    for (int i = 0; i < copies; ++i)
      connection_.publish(subject, event.body, {}, event.headers);
  }

  /// Shows who lost the last one of a shard that there was one.
  void tell_positions() {
    for (auto& [name, state] : instances)
      for (auto& [shard, at] : state.sent_to)
        if (state.format == delivery_format::frame)
          connection_.publish(
              subjects::of_instance(subjects::instance_events, name),
              section(name, shard, at, at, 0));
  }

  std::string section(const std::string& name, uint16_t shard, uint64_t from,
                      uint64_t to, uint16_t flags) {
    frame::writer out;
    out.begin_section(
        {shard_id{shard}, flags, epoch{1}, position{from}, position{to}});
    for (auto pos = from + 1; pos <= to; ++pos) {
      auto& event = log[shard][pos - 1];
      if (!wants(name, event.channel))
        continue;
      chat_event x;
      x.pos = position{pos};
      x.channel = event.channel;
      x.headers = event.headers;
      x.body = event.body;
      out.add(x);
    }
    return std::string{out.finish()};
  }

  // -- presence --------------------------------------------------------------

  void on_presence(const nats::message& x) {
    std::string user{last_token(x.subject)};
    if (fault.loses_publish() || !store(x, "presence"))
      return;
    auto update = parse_presence_update(x.body).update;
    changes.emplace_back(user, update);
    auto& mine = channels_of_user[user];
    if (update.op == presence_op::set || update.has_channels)
      if (update.op != presence_op::join && update.op != presence_op::leave)
        mine.clear();
    presence_answer answer;
    for (auto channel : update.channels)
      if (update.op == presence_op::leave)
        mine.erase(std::string{channel});
      else
        mine.emplace(channel);
    auto& sessions = sessions_of_user[user];
    if (update.op == presence_op::online)
      sessions[update.session] = update.instance;
    if (update.op == presence_op::offline
        && sessions.erase(update.session) == 0) {
      answer.what = presence_answer::status::rejected;
      answer.reason = presence_reject::unknown_session;
    } else if (update.op == presence_op::offline
               || update.op == presence_op::leave) {
      answer.what = presence_answer::status::left;
    }
    answer.user = user;
    answer.op = update.op;
    answer.version = log_position{changes.size()};
    if (!fault.loses_answer())
      reply(update.reply_to, encode(answer));
  }

  // -- instances -------------------------------------------------------------

  void on_register(const nats::message& x) {
    std::string name{last_token(x.subject)};
    auto request = decode_registration(x.body);
    if (!request)
      return;
    auto* begin = std::get_if<register_instance>(&*request);
    if (!begin) {
      instances.erase(name);
      return;
    }
    auto& state = instances[name];
    state.format = begin->format;
    state.incarnation = begin->incarnation;
    instance_registered answer;
    answer.instance = name;
    answer.incarnation = begin->incarnation;
    answer.shards = answer.presence_shards = shards;
    answer.heartbeat_ms = 200;
    answer.frame_bytes_max = 65'536;
    for (uint16_t i = 0; i < shards; ++i) {
      state.sent_to[i] = log[i].size();
      answer.positions.push_back(
          {shard_id{i}, epoch{1}, position{log[i].size()}});
    }
    if (!fault.loses_answer())
      reply(begin->reply_to, encode(registration_reply{answer}));
  }

  void on_heartbeat(const nats::message& x) {
    ++instances[std::string{last_token(x.subject)}].heartbeats;
  }

  void on_ack(const nats::message& x) {
    if (auto ack = decode_ack(x.body))
      for (auto& position : ack->positions)
        instances[std::string{last_token(x.subject)}]
            .last_ack.positions.push_back(position);
  }

  void on_range(const nats::message& x) {
    auto request = decode_range_request(x.body);
    if (!request || fault.loses_answer())
      return;
    auto shard = request->shard.value;
    // At most fifty positions, so that a range comes in parts.
    auto to = std::min(request->to.value, request->from.value + 50);
    reply(x.reply, section(std::string{last_token(x.subject)}, shard,
                           request->from.value, to, frame::replay));
  }

  std::map<std::string, uint64_t> stored_;
  std::map<std::string, uint64_t> sequences_;
  nats::event_loop loop_{"fake"};
  nats::connection connection_;
};

} // namespace fantail::test
