// SPDX-License-Identifier: MIT
#pragma once

#include "client/instance.hpp"
#include "client/presence_source.hpp"
#include "client/producer.hpp"
#include "core/subject.hpp"
#include "tests/integration/node_process.hpp"

#include <algorithm>
#include <future>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace fantail::test {

inline channel_list list_of(const std::vector<std::string>& channels) {
  channel_list result;
  for (auto& x : channels)
    result.push_back(x);
  return result;
}

/// Who talks to a node in a test, on one connection. Changes of presence are
/// waited for.
struct clients {
  using names = std::vector<std::string>;

  explicit clients(const std::string& url)
      : via(loop, options_for(url)), producer(loop, via),
        presence(loop, via, patient()) {
    via.start();
    via.wait_up(patience);
  }

  static nats::connect_options options_for(const std::string& url) {
    nats::connect_options result;
    result.url = url;
    result.name = "test";
    return result;
  }

  /// An answer gets lost with the node that owed it, so ask again soon.
  static client::presence_source_options patient() {
    client::presence_source_options result;
    result.answer_timeout = 1s;
    result.attempts_max = 60;
    return result;
  }

  /// Makes one change and waits for the answer to it.
  std::optional<presence_answer> change(const std::string& user,
                                        presence_update update) {
    // The handler refers to this frame, so leaving early is no option.
    std::promise<std::optional<presence_answer>> answered;
    presence.change(user, std::move(update),
                    [&](auto& answer) { answered.set_value(answer); });
    return answered.get_future().get();
  }

  bool online(const std::string& user, const std::string& session,
              const std::string& instance, const names& channels) {
    presence_update update;
    update.op = presence_op::online;
    update.session = session;
    update.instance = instance;
    update.channels = list_of(channels);
    update.has_channels = !channels.empty();
    auto answer = change(user, std::move(update));
    return answer && answer->what == presence_answer::status::joined;
  }

  bool offline(const std::string& user, const std::string& session) {
    presence_update update;
    update.op = presence_op::offline;
    update.session = session;
    auto answer = change(user, std::move(update));
    return answer && answer->what == presence_answer::status::left;
  }

  bool join(const std::string& user, const names& channels) {
    auto answer = change(user, of_channels(presence_op::join, channels));
    return answer && answer->what == presence_answer::status::joined;
  }

  bool leave(const std::string& user, const names& channels) {
    auto answer = change(user, of_channels(presence_op::leave, channels));
    return answer && answer->what == presence_answer::status::left;
  }

  static presence_update of_channels(presence_op op, const names& channels) {
    presence_update result;
    result.op = op;
    result.channels = list_of(channels);
    result.has_channels = true;
    return result;
  }

  /// Publishes an event with the next number as its id; the producer repeats
  /// it until it is stored.
  std::string publish(const std::string& channel, std::string body = {}) {
    auto id = "e" + std::to_string(++events_sent);
    if (body.empty())
      body = id;
    while (producer.send(channel, id, body, nullptr)
           == client::producer::send_result::full)
      std::this_thread::sleep_for(1ms);
    return id;
  }

  bool all_stored() {
    return eventually([this] { return producer.in_flight() == 0; });
  }

  nats::event_loop loop{"clients"};
  nats::connection via;
  client::producer producer;
  client::presence_source presence;
  uint64_t events_sent = 0;
};

/// One instance and what it received, in order. In the format `single` it is a
/// plain subscription of an instance that never registers; in the format
/// `frame` it is the client library.
class receiver {
public:
  struct delivery {
    /// Empty in the format `single`.
    std::string channel;
    position pos;
    std::string id;
    std::string headers;
    std::string body;
  };

  receiver(clients& with, const std::string& name, delivery_format format)
      : with_(with), name_(name) {
    if (format == delivery_format::frame)
      start_frame();
    else
      with_.via.subscribe(subject(), [this](const nats::message& x) {
        take({{}, {}, {}, std::string{x.headers}, std::string{x.body}});
      });
  }

  ~receiver() {
    if (!instance_)
      with_.via.unsubscribe(subject());
    with_.loop.run_and_wait([] {});
  }

  receiver(const receiver&) = delete;
  receiver& operator=(const receiver&) = delete;

  const std::string& name() const { return name_; }

  bool is_registered() {
    return !instance_ || instance_->wait_registered(patience);
  }

  std::vector<delivery> all() const {
    std::lock_guard guard{mutex_};
    return deliveries_;
  }

  /// The ids received, in order.
  std::vector<std::string> ids() const {
    std::lock_guard guard{mutex_};
    std::vector<std::string> result;
    for (auto& x : deliveries_)
      result.push_back(x.id);
    return result;
  }

  size_t count(const std::string& id) const {
    auto all = ids();
    return static_cast<size_t>(std::count(all.begin(), all.end(), id));
  }

  bool receives(const std::string& id) const {
    return eventually([&] { return count(id) > 0; });
  }

  uint64_t losses() const {
    std::lock_guard guard{mutex_};
    return losses_;
  }

private:
  std::string subject() const {
    return subjects::of_instance(subjects::instance_events, name_);
  }

  void start_frame() {
    client::instance_options options;
    options.name = name_;
    options.register_timeout = 500ms;
    options.reader.range_timeout = 1s;
    client::instance::handlers on;
    on.on_event = [this](const chat_event& x) {
      take({std::string{x.channel},
            x.pos,
            {},
            std::string{x.headers},
            std::string{x.body}});
    };
    on.on_loss = [this](const frame_reader::loss&) {
      std::lock_guard guard{mutex_};
      ++losses_;
    };
    instance_.emplace(with_.loop, with_.via, options, on);
    instance_->start();
  }

  void take(delivery x) {
    x.id = header_value(x.headers, "Nats-Msg-Id");
    std::lock_guard guard{mutex_};
    deliveries_.push_back(std::move(x));
  }

  clients& with_;
  std::string name_;
  mutable std::mutex mutex_;
  std::vector<delivery> deliveries_;
  uint64_t losses_ = 0;
  /// Last, because its handlers refer to the members above.
  std::optional<client::instance> instance_;
};

} // namespace fantail::test
