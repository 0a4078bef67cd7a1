// SPDX-License-Identifier: MIT
#pragma once

#include "actors/environment.hpp"
#include "messages/protocol.hpp"
#include "tests/core/delivery/recording_bus.hpp"

#include "caf/test/dsl.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

namespace fantail::test {

/// Virtual time.
struct fake_clock final : clock_port {
  time_point time{std::chrono::hours{1}};
  time_point now() const noexcept override { return time; }
};

struct recorded_reports final : report_port {
  std::vector<std::string> events;
  void report(severity, std::string_view, std::string_view event,
              fields) override {
    events.emplace_back(event);
  }
  bool has(std::string_view event) const {
    return std::find(events.begin(), events.end(), event) != events.end();
  }
};

/// The slow side of NATS, as a notebook.
struct recorded_control final : control_port {
  struct answer_to {
    std::string reply_to, body;
  };
  struct record {
    std::string subject, body;
    uint64_t newest;
  };
  struct checkpoint_of {
    shard_id shard;
    fantail::epoch owner;
    std::string created_at;
    position settled;
  };

  std::vector<answer_to> answers;
  std::vector<record> records;
  std::vector<std::string> buried;
  std::vector<checkpoint_of> checkpoints;
  std::vector<std::function<void()>> claims;

  void answer(const std::string& reply_to, std::string_view body) override {
    answers.push_back({reply_to, std::string{body}});
  }
  void append(const std::string& subject, std::string body,
              uint64_t newest) override {
    records.push_back({subject, std::move(body), newest});
  }
  void bury(const dead_letter& x) override {
    buried.push_back(std::string{x.source} + "/" + std::string{x.reason});
  }
  void checkpoint(shard_id shard, fantail::epoch owner,
                  const std::string& created_at, position settled) override {
    checkpoints.push_back({shard, owner, created_at, settled});
  }
  void republished(std::string_view, const std::string&, position at) override {
    republished_to = at;
  }
  void trim(const std::string&, position at) override { trimmed_to = at; }
  position republished_to;
  position trimmed_to;
  /// The claim succeeds when the test says so.
  void claim_epoch(shard_id, fantail::epoch known,
                   std::function<void(fantail::epoch)> handler) override {
    claims.push_back(
        [known, handler] { handler(fantail::epoch{known.value + 1}); });
  }
};

/// A log that does what the test says, and remembers what it was asked.
struct scripted_log final : log_reader_port {
  sink to;
  std::vector<position> opened_from;
  uint64_t attempt = 0;
  std::vector<uint32_t> requests;
  int restored = 0;

  void attach(sink events) override { to = std::move(events); }
  void open(uint64_t number, position from) override {
    attempt = number;
    opened_from.push_back(from);
  }
  void request(uint64_t number, uint32_t events) override {
    CAF_REQUIRE_EQUAL(number, attempt);
    requests.push_back(events);
  }
  void restore_stream() override { ++restored; }
  void close() override { to = {}; }

  void opened(uint64_t first, uint64_t last, std::string life = "t1") {
    to.on_opened(attempt, {std::move(life), position{first}, position{last}});
  }
};

/// Actors on CAF's deterministic scheduler, around ports that do nothing by
/// themselves. Time comes as `tick` only, so `run` always ends.
class actor_fixture : public test_coordinator_fixture<> {
public:
  actor_fixture() { env = {&clock, &reports, &control, &counts, &instances}; }

  /// CAF waits for every actor at the end of a test.
  ~actor_fixture() override {
    for (auto& x : spawned_)
      caf::anon_send_exit(x, caf::exit_reason::kill);
    ticked_.clear();
    run();
  }

  template <class Handle>
  Handle adopt(Handle x) {
    spawned_.push_back(caf::actor_cast<caf::actor>(x));
    // A bare sink knows no time.
    if constexpr (!std::is_same_v<Handle, pull_sink_actor>)
      ticked_.push_back(x);
    return x;
  }

  /// Lets time pass for everybody.
  void pass(duration time) {
    clock.time += time;
    for (auto& x : ticked_)
      caf::anon_send(x, tick{clock.time});
    run();
  }

  /// Time passes in steps that a ticker would make, so that nobody takes the
  /// process for one that stood still.
  void pass_steadily(duration time) {
    constexpr duration step = std::chrono::seconds{1};
    for (; time > step; time -= step)
      pass(step);
    pass(time);
  }

  /// One record of a log as a pull for (pos - 1, pos].
  static pull_ptr record(uint16_t shard, uint64_t pos, std::string_view name,
                         std::string_view body, uint64_t pending = 0) {
    pull_builder builder{shard_id{shard}, position{pos - 1}};
    builder.add(position{pos}, static_cast<int64_t>(pos) * 1'000, name, {},
                body);
    return builder.finish(0, pending);
  }

  fake_clock clock;
  recorded_reports reports;
  recorded_control control;
  telemetry::node counts{2, 2, 2};
  instance_directory instances;
  environment env;

private:
  std::vector<caf::actor> spawned_;
  std::vector<component_actor> ticked_;
};

} // namespace fantail::test
