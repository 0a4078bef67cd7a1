// SPDX-License-Identifier: MIT
#define CAF_SUITE core.ingest.republisher

#include "core/hash.hpp"
#include "core/ingest/republisher.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <map>
#include <random>
#include <set>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

constexpr uint16_t shards = 3;

/// The streams of the shards as a server keeps them, with a link that breaks,
/// answers that get lost, refusals, and somebody else who writes there.
class fake_server {
public:
  struct stored {
    std::string id;
    uint64_t source_pos;
    std::string channel;
  };
  struct request {
    shard_id shard;
    uint64_t attempt;
    stored what;
    uint64_t behind;
    /// Id of the record that must be there; empty = any.
    std::string after;
    int life;
  };

  std::vector<stored> streams[shards];
  std::deque<request> wire;
  std::deque<shard_writer_port::answer> answers;
  bool is_full = false;
  int life = 0;
  /// Ids are remembered for so many records only.
  size_t window = 30;

  void handle() {
    auto x = std::move(wire.front());
    wire.pop_front();
    auto& stream = streams[x.shard.value];
    shard_writer_port::answer answer{x.shard, x.attempt, 0, false};
    for (size_t i = stream.size(); i > 0 && i + window > stream.size(); --i)
      if (stream[i - 1].id == x.what.id) {
        answer.sequence = i;
        answer.is_duplicate = true;
      }
    auto follows = stream.size() == x.behind
                   && (x.after.empty()
                       || (!stream.empty() && stream.back().id == x.after));
    if (!answer.is_duplicate && !is_full && follows) {
      stream.push_back(std::move(x.what));
      answer.sequence = stream.size();
    }
    // Nobody hears the answers to a process that is gone.
    if (x.life == life)
      answers.push_back(answer);
  }

  void foreign(shard_id shard) {
    streams[shard.value].push_back({"foreign", 0, "x"});
  }
};

struct world {
  std::mt19937_64 random;
  fake_server server;
  std::optional<republisher> tested;
  time_point now{1h};
  /// The source: the channel of every position.
  std::vector<std::string> source{""};
  uint64_t read_to = 0;
  position checkpoint;
  std::deque<std::pair<shard_id, uint64_t>> asked;

  explicit world(uint64_t seed) : random(seed) { restart(); }

  void restart() {
    tested.emplace(shards, "ORDERS");
    tested->begin("2026-01-01", checkpoint);
    read_to = checkpoint.value;
    // What is on the wire may still arrive; answers do not.
    ++server.life;
    server.answers.clear();
    asked.clear();
  }

  void write(size_t count) {
    for (size_t i = 0; i < count; ++i)
      source.push_back("c" + std::to_string(random() % 7));
  }

  void read() {
    auto to = std::min<uint64_t>(source.size() - 1, read_to + random() % 9);
    if (to == read_to)
      return;
    pull_builder builder{shard_id{0}, position{read_to}};
    for (auto i = read_to + 1; i <= to; ++i)
      builder.add(position{i}, 1, source[i], {}, "body");
    read_to = to;
    tested->add(builder.finish(0, 0));
  }

  void pump() {
    for (uint16_t i = 0; i < shards; ++i) {
      auto& lane = tested->lane(shard_id{i});
      CAF_REQUIRE(lane.check_invariants());
      if (lane.wants_end(now))
        asked.emplace_back(shard_id{i}, lane.attempt());
      for (int n = 0; n < 5; ++n)
        if (auto next = lane.next(now)) {
          auto pos = next->what.pos();
          server.wire.push_back(
              {shard_id{i},
               lane.attempt(),
               {tested->id_of(pos), pos.value,
                std::string{next->what.source->channel_of(next->what.event)}},
               next->behind,
               next->after ? tested->id_of(*next->after) : std::string{},
               server.life});
        }
    }
  }

  void answer_end() {
    if (asked.empty())
      return;
    auto [shard, attempt] = asked.front();
    asked.pop_front();
    if (random() % 8 == 0) {
      tested->found_end(shard, attempt, std::nullopt, now);
      return;
    }
    auto& stream = server.streams[shard.value];
    tested->found_end(
        shard, attempt,
        shard_writer_port::stream_end{stream.size(),
                                      stream.empty() ? "" : stream.back().id},
        now);
  }

  void answer() {
    if (server.answers.empty())
      return;
    auto x = server.answers.front();
    server.answers.pop_front();
    tested->answered(x, now);
  }

  void progress() {
    if (auto moved = tested->take_progress()) {
      CAF_REQUIRE(moved->to > checkpoint || moved->to.value <= read_to);
      // Checkpoints lag behind.
      if (random() % 3 == 0)
        checkpoint = std::max(checkpoint, moved->to);
    }
  }

  void pass(duration time) {
    now += time;
    for (uint16_t i = 0; i < shards; ++i)
      tested->lane(shard_id{i}).tick(now);
  }

  void settle() {
    server.is_full = false;
    for (int i = 0;
         i < 200'000 && (read_to + 1 < source.size() || !tested->is_idle());
         ++i) {
      read();
      pump();
      while (!server.wire.empty())
        server.handle();
      while (!server.answers.empty())
        answer();
      while (!asked.empty())
        answer_end();
      progress();
      pass(50ms);
    }
  }

  /// Everything is in its shard once, in the order of the source.
  void check() {
    std::map<uint64_t, int> times;
    for (uint16_t i = 0; i < shards; ++i) {
      uint64_t last = 0;
      for (auto& x : server.streams[i]) {
        if (x.id == "foreign")
          continue;
        ++times[x.source_pos];
        CAF_REQUIRE(x.source_pos > last);
        CAF_REQUIRE(shard_of(x.channel, shards).value == i);
        CAF_REQUIRE_EQUAL(x.channel, source[x.source_pos]);
        last = x.source_pos;
      }
    }
    CAF_REQUIRE_EQUAL(times.size(), source.size() - 1);
    for (auto& [pos, count] : times)
      CAF_REQUIRE_EQUAL(count, 1);
  }
};

} // namespace

CAF_TEST(every_record_gets_to_its_shard_once_and_in_order_whatever_happens) {
  auto seed = test_seed();
  for (uint64_t run = 0; run < 20; ++run) {
    world w{seed + run};
    for (int step = 0; step < 5'000; ++step) {
      switch (w.random() % 12) {
      case 0:
        w.write(w.random() % 4);
        break;
      case 1:
        w.read();
        break;
      case 2:
      case 3:
        w.pump();
        break;
      case 4:
      case 5:
        if (!w.server.wire.empty())
          w.server.handle();
        break;
      case 6:
      case 7:
        w.answer();
        break;
      case 8:
        w.answer_end();
        break;
      case 9:
        w.progress();
        w.pass(duration{std::chrono::milliseconds{w.random() % 100}});
        break;
      default:
        switch (w.random() % 40) {
        case 0:
          // The link breaks: what is on the wire is lost or not.
          w.server.wire.clear();
          w.server.answers.clear();
          w.asked.clear();
          w.tested->lost_link();
          break;
        case 1:
          w.server.answers.clear();
          w.pass(6s);
          break;
        case 2:
          w.server.is_full = !w.server.is_full;
          break;
        case 3:
          w.restart();
          break;
        case 4:
          if (!w.server.wire.empty())
            w.server.wire.pop_front();
          break;
        default:
          break;
        }
      }
    }
    w.settle();
    w.check();
  }
}

CAF_TEST(records_of_somebody_else_in_a_shard_cost_round_trips_only) {
  auto seed = test_seed();
  world w{seed};
  w.server.window = 1'000'000;
  for (int step = 0; step < 2'000; ++step) {
    w.write(w.random() % 3);
    w.read();
    w.pump();
    for (auto n = w.random() % 5; n > 0 && !w.server.wire.empty(); --n)
      w.server.handle();
    while (!w.server.answers.empty())
      w.answer();
    w.answer_end();
    w.progress();
    w.pass(50ms);
    if (w.random() % 20 == 0)
      w.server.foreign(shard_id{static_cast<uint16_t>(w.random() % shards)});
    if (w.random() % 200 == 0)
      w.restart();
  }
  w.settle();
  w.check();
}

CAF_TEST(another_life_of_the_source_has_other_ids) {
  republisher tested{1, "ORDERS"};
  tested.begin("2026-01-01", position{0});
  auto before = tested.id_of(position{5});
  tested.begin("2026-01-02", position{0});
  CAF_CHECK(tested.id_of(position{5}) != before);
  CAF_CHECK(tested.id_of(position{5}).starts_with("ORDERS:"));
}
