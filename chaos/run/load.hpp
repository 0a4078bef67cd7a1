// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/run/recorder.hpp"
#include "chaos/run/world.hpp"
#include "client/presence_source.hpp"
#include "client/producer.hpp"
#include "runtime/nats/connection.hpp"
#include "runtime/nats/event_loop.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace fantail::chaos {

struct load_options {
  /// Chat events and presence changes per second.
  double rate = 20'000;
  double churn = 100;
  uint64_t seed = 1;
};

/// Producers and users: publishes chat events in an open loop, while users
/// come, go, move, join and leave. What it does it notes before, and what is
/// answered when it is. Nothing is given up: an outage is waited for.
class load {
public:
  load(const world& in, recorder& notes, const std::string& url,
       load_options options);
  ~load();
  load(const load&) = delete;
  load& operator=(const load&) = delete;

  bool wait_up(duration timeout);

  /// Brings all users online; false if that takes longer, or `stop` is set.
  bool fill(duration timeout, const std::atomic<bool>& stop);

  void begin();
  /// Nothing new; what is under way goes on.
  void end();

  bool is_quiet() const;
  std::string what_is_open() const;

  /// Notes what the node answers about a user; false if it does not.
  bool ask_for(user_number user);

  /// Messages nobody can accept.
  void publish_garbage(std::mt19937_64& random, int count);

private:
  struct user {
    std::map<session_number, instance_number> sessions;
    std::set<channel_number> channels;
  };

  void work();
  void publish_one();
  void change_one();
  void go_online(user_number number, session_number session,
                 instance_number instance,
                 const std::vector<channel_number>& channels);
  void send(presence_called x);

  const world& world_;
  recorder& notes_;
  load_options options_;
  nats::event_loop loop_{"chaos-load"};
  nats::connection events_via_;
  nats::connection presence_via_;
  std::unique_ptr<client::producer> producer_;
  std::unique_ptr<client::presence_source> presence_;
  std::mt19937_64 random_;
  std::vector<user> users_;
  event_number last_event_ = 0;
  call_number last_call_ = 0;
  std::atomic<bool> is_over_ = false;
  std::thread thread_;
};

} // namespace fantail::chaos
