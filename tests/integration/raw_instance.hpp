// SPDX-License-Identifier: MIT
#pragma once

#include "core/hash.hpp"
#include "tests/integration/clients.hpp"

namespace fantail::test {

/// A `frame` instance made by hand, from docs/PROTOCOL.md: it reads one shard
/// and acknowledges only when it is told to.
class raw_instance {
public:
  static constexpr auto* channel = "general";
  static inline const auto shard = shard_of(channel, 8);

  raw_instance(clients& with, std::string name)
      : with_(with), name_(std::move(name)) {
    with_.via.subscribe(of("instance.events."), [this](const nats::message& x) {
      std::lock_guard guard{mutex_};
      take(x.body);
    });
  }

  ~raw_instance() { with_.via.unsubscribe(of("instance.events.")); }

  /// Registers and begins behind the positions of the answer.
  bool begin() {
    auto inbox = with_.via.new_inbox();
    with_.via.subscribe(inbox, [this](const nats::message& x) {
      auto reply = decode_registration_reply(x.body);
      auto* life = reply ? std::get_if<instance_registered>(&*reply) : nullptr;
      std::lock_guard guard{mutex_};
      if (!life || life->positions.size() != 8)
        return;
      position_ = life->positions[shard.value].at;
      is_registered_ = true;
    });
    with_.via.publish(of("instance.register."),
                      encode(registration{register_instance{
                          delivery_format::frame, "life-1", inbox}}));
    return eventually([this] {
      std::lock_guard guard{mutex_};
      return is_registered_;
    });
  }

  /// The end of the shard, once the instance was told that it lags.
  std::optional<position> lags_behind() const {
    std::lock_guard guard{mutex_};
    return head_;
  }

  /// Asks for everything up to `to`, in as many parts as it takes.
  bool catch_up(position to) {
    for (auto until = std::chrono::steady_clock::now() + patience;
         std::chrono::steady_clock::now() < until;) {
      range_request request{"life-1", shard, at(), to};
      if (request.from >= to)
        return true;
      auto answer = ask(encode(request));
      if (!answer)
        return false;
      std::lock_guard guard{mutex_};
      if (auto sections = frame::read(*answer); sections)
        take_section(sections->at(0));
      else
        std::this_thread::sleep_for(100ms);
    }
    return false;
  }

  std::optional<std::string> ask(const std::string& body) {
    return with_.via.request_wait(of("instance.range."), body, 10s);
  }

  /// The reason of a refused range; empty if it was served.
  std::string refusal_of(const std::string& body) {
    auto answer = ask(body);
    auto refused = decode_range_rejected(answer.value_or(""));
    return std::string{refused ? to_string(refused->reason) : ""};
  }

  void acknowledge() {
    with_.via.publish(of("instance.ack."),
                      encode(instance_ack{"life-1", {{shard, at()}}}));
  }

  position at() const {
    std::lock_guard guard{mutex_};
    return position_;
  }

  std::vector<std::string> ids() const {
    std::lock_guard guard{mutex_};
    return ids_;
  }

  size_t gaps() const {
    std::lock_guard guard{mutex_};
    return gaps_;
  }

private:
  std::string of(std::string_view prefix) const {
    return subjects::of_instance(prefix, name_);
  }

  void take(std::string_view bytes) {
    auto sections = frame::read(bytes);
    if (!sections) {
      ++gaps_;
      return;
    }
    for (auto& x : *sections)
      if (x.header.shard == shard)
        take_section(x);
  }

  void take_section(const frame::section& x) {
    if (x.header.flags & frame::lagging) {
      head_ = x.header.to;
      return;
    }
    if (x.header.to <= position_)
      return;
    // While it lags, live sections are behind a gap that ranges close.
    if (x.header.from > position_) {
      ++gaps_;
      return;
    }
    for (auto& event : x.events)
      if (event.pos > position_)
        ids_.emplace_back(header_value(event.headers, "Nats-Msg-Id"));
    position_ = x.header.to;
  }

  clients& with_;
  std::string name_;
  mutable std::mutex mutex_;
  bool is_registered_ = false;
  position position_;
  std::optional<position> head_;
  std::vector<std::string> ids_;
  size_t gaps_ = 0;
};

} // namespace fantail::test
