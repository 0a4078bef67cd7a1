// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail::test {

/// A bus that keeps in order what was published. It breaks when told to, or in
/// the middle of things after some number of publishes.
class recording_bus final : public bus_port {
public:
  struct message {
    std::string subject, body, headers;
    /// Set if it is a marker.
    uint64_t marker = 0;
    /// Set if it asks whether anybody listens.
    std::optional<instance_index> asks = {};
  };

  bool publish(std::string_view subject, std::string_view body,
               std::string_view headers) override {
    return put({std::string{subject}, std::string{body}, std::string{headers}});
  }
  bool publish_asking(std::string_view subject, std::string_view body,
                      std::string_view headers,
                      instance_index instance) override {
    return put({std::string{subject}, std::string{body}, std::string{headers},
                0, instance});
  }
  void flush() override { ++flushes; }
  size_t buffered() const override { return unwritten; }
  bool publish_marker(uint64_t number) override {
    return put({{}, {}, {}, number});
  }

  /// Takes the oldest message.
  message take() {
    auto result = std::move(messages.front());
    messages.pop_front();
    return result;
  }

  std::deque<message> messages;
  /// Publishes that still succeed.
  uint64_t publishes_left = UINT64_MAX;
  /// The next publish throws, as a defect would.
  bool is_defect = false;
  size_t unwritten = 0;
  int flushes = 0;

private:
  bool put(message x) {
    if (std::exchange(is_defect, false))
      throw std::runtime_error("a defect");
    if (publishes_left == 0)
      return false;
    --publishes_left;
    messages.push_back(std::move(x));
    return true;
  }
};

/// An event to make a pull of.
struct event_spec {
  uint64_t pos;
  event_class cls = event_class::critical;
  size_t body_size = 10;
};

/// A pull for (from, to]; bodies tell shard and position.
inline pull_ptr make_pull(uint16_t shard, uint64_t from, uint64_t to,
                          const std::vector<event_spec>& events) {
  pull_builder builder{shard_id{shard}, position{from}};
  for (auto& x : events) {
    std::string headers;
    if (x.cls != event_class::critical)
      headers = "NATS/1.0\r\nFantail-Class: " + std::string{to_string(x.cls)}
                + "\r\n\r\n";
    auto body = std::to_string(shard) + "/" + std::to_string(x.pos) + " ";
    body.resize(std::max(body.size(), x.body_size), '.');
    builder.add(position{x.pos}, 0, "general", headers, body);
  }
  builder.extend(position{to});
  return builder.finish(0, 0);
}

} // namespace fantail::test
