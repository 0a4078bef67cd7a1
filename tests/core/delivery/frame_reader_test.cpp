// SPDX-License-Identifier: MIT
#define CAF_SUITE core.frame_reader

#include "core/delivery/frame_reader.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <deque>
#include <random>
#include <string>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

/// Bytes of one section with one event per listed position.
std::string section_bytes(frame::section_header header,
                          const std::vector<uint64_t>& events) {
  frame::writer out;
  out.begin_section(header);
  for (auto pos : events) {
    auto body = "body " + std::to_string(pos);
    chat_event event;
    event.pos = position{pos};
    event.channel = "general";
    event.body = body;
    out.add(event);
  }
  return std::string{out.finish()};
}

frame::section_header header(uint64_t from, uint64_t to, uint64_t epoch = 1,
                             uint16_t flags = 0, uint16_t shard = 0) {
  return {shard_id{shard}, flags, fantail::epoch{epoch}, position{from},
          position{to}};
}

struct fixture : frame_reader::sink {
  frame_reader reader;
  time_point now{};
  std::vector<uint64_t> delivered;
  std::vector<frame_reader::loss> losses;

  fixture() { begin(); }

  void begin(uint64_t pos = 0, uint64_t epoch = 1) {
    frame_reader::start start{shard_id{0}, fantail::epoch{epoch},
                              position{pos}};
    reader.begin({&start, 1});
  }

  void on_event(shard_id, const chat_event& event) override {
    CAF_REQUIRE_EQUAL(std::string{event.body},
                      "body " + std::to_string(event.pos.value));
    CAF_REQUIRE_EQUAL(event.channel, "general");
    delivered.push_back(event.pos.value);
  }

  void on_loss(const frame_reader::loss& gone) override {
    losses.push_back(gone);
  }

  /// Reads the bytes and frees them, so that a view kept too long is caught
  /// by a sanitizer.
  void take(std::string bytes, bool is_answer = false) {
    auto sections = frame::read(bytes);
    CAF_REQUIRE(sections.has_value());
    for (auto& x : *sections)
      if (is_answer)
        reader.take_answer(x, now, *this);
      else
        reader.take(x, *this);
    auto broken = reader.check_invariants();
    CAF_REQUIRE_EQUAL(std::string{broken.value_or("")}, "");
  }

  void take(const frame::section_header& header,
            const std::vector<uint64_t>& events, bool is_answer = false) {
    take(section_bytes(header, events), is_answer);
  }

  std::optional<frame_reader::range_request> request() {
    auto list = reader.take_requests(now);
    CAF_REQUIRE(list.size() <= 1u);
    return list.empty() ? std::nullopt : std::optional{list.front()};
  }

  static frame_reader::range_request range(uint64_t from, uint64_t to) {
    return {shard_id{0}, position{from}, position{to}};
  }
};

using numbers = std::vector<uint64_t>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(frame_reader_tests, fixture)

CAF_TEST(sections that adjoin are delivered in order) {
  take(header(0, 5), {2, 4});
  take(header(5, 9), {6, 9});
  CAF_CHECK_EQUAL(delivered, (numbers{2, 4, 6, 9}));
  CAF_CHECK(!request());
}

CAF_TEST(a repeat and the known part of an overlap are not delivered again) {
  take(header(0, 5), {2, 4});
  take(header(0, 5), {2, 4});
  take(header(3, 8), {4, 7});
  CAF_CHECK_EQUAL(delivered, (numbers{2, 4, 7}));
  CAF_CHECK_EQUAL(reader.count().repeats, 1u);
}

CAF_TEST(a gap is asked for and what came behind it waits) {
  take(header(5, 9), {6, 9});
  CAF_CHECK(delivered.empty());
  CAF_CHECK(reader.is_behind(shard_id{0}));
  CAF_CHECK(request() == range(0, 5));
  take(header(9, 12), {11});
  CAF_CHECK(!request());
  take(header(0, 3, 1, frame::replay), {2}, true);
  CAF_CHECK(request() == range(3, 5));
  take(header(3, 5, 1, frame::replay), {4}, true);
  CAF_CHECK_EQUAL(delivered, (numbers{2, 4, 6, 9, 11}));
  CAF_CHECK(!reader.is_behind(shard_id{0}));
  CAF_CHECK_EQUAL(reader.kept_bytes(), 0u);
  CAF_CHECK_EQUAL(reader.count().gaps, 1u);
}

CAF_TEST(an unanswered request is repeated after its timeout) {
  take(header(5, 9), {6});
  CAF_CHECK(request() == range(0, 5));
  now += 1900ms;
  CAF_CHECK(!request());
  now += 200ms;
  CAF_CHECK(request() == range(0, 5));
}

CAF_TEST(a refused or fruitless request is repeated after a pause) {
  take(header(5, 9), {6});
  CAF_CHECK(request().has_value());
  reader.postpone(shard_id{0}, now);
  CAF_CHECK(!request());
  now += 100ms;
  CAF_CHECK(request().has_value());
  take(header(0, 0, 1, frame::replay), {}, true);
  CAF_CHECK(!request());
  now += 100ms;
  CAF_CHECK(request() == range(0, 5));
}

CAF_TEST(requests of a lost connection are repeated at once) {
  take(header(5, 9), {6});
  CAF_CHECK(request().has_value());
  reader.forget_requests();
  CAF_CHECK(request() == range(0, 5));
}

CAF_TEST(a lower epoch is refused) {
  begin(10, 3);
  take(header(10, 12, 2), {11});
  CAF_CHECK(delivered.empty());
  CAF_CHECK_EQUAL(reader.count().refused, 1u);
}

CAF_TEST(a new owner that starts below the position repeats nothing) {
  begin(10);
  take(header(10, 12), {11, 12});
  take(header(5, 11, 2), {6, 11});
  take(header(11, 14, 2), {12, 13});
  CAF_CHECK_EQUAL(delivered, (numbers{11, 12, 13}));
  take(header(14, 15, 1), {15});
  CAF_CHECK_EQUAL(delivered, (numbers{11, 12, 13}));
}

CAF_TEST(a stream that begins anew is followed once per epoch) {
  begin(100);
  take(header(110, 120), {115});
  take(header(0, 3, 2, frame::restarted), {1, 2});
  CAF_CHECK_EQUAL(delivered, (numbers{1, 2}));
  CAF_REQUIRE_EQUAL(losses.size(), 1u);
  CAF_CHECK(losses[0].restarted);
  CAF_CHECK(losses[0].from == position{100});
  take(header(0, 3, 2, frame::restarted), {1, 2});
  take(header(3, 5, 2, frame::restarted), {4});
  CAF_CHECK_EQUAL(delivered, (numbers{1, 2, 4}));
  CAF_CHECK_EQUAL(losses.size(), 1u);
  CAF_CHECK_EQUAL(reader.kept_bytes(), 0u);
}

CAF_TEST(a lagging instance catches up by ranges) {
  take(header(0, 50, 1, frame::lagging), {});
  CAF_CHECK(delivered.empty());
  CAF_CHECK(request() == range(0, 50));
  take(header(0, 30, 1, frame::replay), {10}, true);
  CAF_CHECK(request() == range(30, 50));
  take(header(30, 50, 1, frame::replay), {40}, true);
  CAF_CHECK_EQUAL(delivered, (numbers{10, 40}));
  CAF_CHECK(!request());
}

CAF_TEST(a loss is reported and skipped but nothing kept aside is given up) {
  take(header(5, 9), {6, 9});
  CAF_CHECK(request() == range(0, 5));
  reader.take_lost(shard_id{0}, position{8}, *this);
  CAF_REQUIRE_EQUAL(losses.size(), 1u);
  CAF_CHECK(
      (losses[0] == frame_reader::loss{shard_id{0}, position{0}, position{5}}));
  CAF_CHECK_EQUAL(delivered, (numbers{6, 9}));
  CAF_CHECK(!request());
}

CAF_TEST(what does not fit aside is dropped and asked for again) {
  frame_reader_config config;
  config.kept_bytes_max = 1'000;
  reader = frame_reader{config};
  begin();
  for (uint64_t from = 5; from < 100; from += 5)
    take(header(from, from + 5), {from + 1});
  CAF_CHECK(reader.kept_bytes() <= 1'000u);
  CAF_CHECK(reader.count().dropped > 0u);
  numbers expected{3};
  for (uint64_t from = 5; from < 100; from += 5)
    expected.push_back(from + 1);
  while (auto wanted = request()) {
    numbers events;
    for (auto pos : expected)
      if (pos > wanted->from.value && pos <= wanted->to.value)
        events.push_back(pos);
    take(header(wanted->from.value, wanted->to.value, 1, frame::replay), events,
         true);
  }
  CAF_CHECK_EQUAL(delivered, expected);
}

CAF_TEST(only positions that moved are acknowledged) {
  begin(7);
  CAF_CHECK(reader.take_acknowledgement().empty());
  take(header(7, 9), {8});
  auto moved = reader.take_acknowledgement();
  CAF_REQUIRE_EQUAL(moved.size(), 1u);
  CAF_CHECK(moved[0].pos == position{9});
  CAF_CHECK(reader.take_acknowledgement().empty());
  CAF_CHECK_EQUAL(reader.positions().size(), 1u);
}

CAF_TEST(sections of an unannounced shard are refused) {
  take(header(0, 5, 1, 0, 9), {1});
  CAF_CHECK(delivered.empty());
  CAF_CHECK_EQUAL(reader.count().refused, 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()

namespace {

/// Owners of one shard and a network that loses, repeats, delays and cuts what
/// they send. The instance's events are every third to seventh position.
class adversary {
public:
  explicit adversary(uint64_t seed) : random_(seed) {
    frame_reader_config config;
    config.kept_bytes_max = below(2) ? 4'000 : 100'000;
    tested_.reader = frame_reader{config};
    tested_.begin();
  }

  void run(size_t steps) {
    for (size_t step = 0; step < steps; ++step)
      act();
    // Peace: whatever was lost must be found now.
    for (size_t round = 0; round < 2'000; ++round) {
      tested_.now += 50ms;
      send(header(head_, head_, epoch_));
      deliver_all();
      ask(false);
      deliver_all();
    }
    CAF_REQUIRE_EQUAL(tested_.delivered.size(), events_.size());
    CAF_REQUIRE_EQUAL(tested_.delivered, events_);
    CAF_REQUIRE_EQUAL(tested_.reader.kept_bytes(), 0u);
  }

private:
  uint64_t below(uint64_t bound) { return random_() % bound; }

  numbers events_in(uint64_t from, uint64_t to) const {
    auto first = std::upper_bound(events_.begin(), events_.end(), from);
    auto last = std::upper_bound(events_.begin(), events_.end(), to);
    return {first, last};
  }

  struct packet {
    std::string bytes;
    bool is_answer;
  };

  void send(const frame::section_header& x, bool is_answer = false) {
    packet sent{section_bytes(x, events_in(x.from.value, x.to.value)),
                is_answer};
    if (!is_answer && below(20) == 0)
      return;
    auto copies = below(10) == 0 ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      auto back = below(8) == 0 ? below(net_.size() + 1) : 0;
      net_.insert(net_.end() - static_cast<long>(back), sent);
    }
  }

  void produce() {
    for (auto count = below(30) + 1; count > 0; --count) {
      ++head_;
      if (below(5) == 0)
        events_.push_back(head_);
    }
  }

  /// The owner sends what is new, cut into pieces.
  void send_live() {
    while (sent_to_ < head_) {
      auto to = sent_to_ + 1 + below(head_ - sent_to_);
      send(header(sent_to_, to, epoch_));
      sent_to_ = to;
    }
  }

  /// A new owner starts at what was settled; the old one lives on a little.
  void change_owner() {
    auto zombie = header(sent_to_, head_, epoch_);
    ++epoch_;
    sent_to_ -= below(std::min<uint64_t>(sent_to_, 100) + 1);
    send_live();
    if (zombie.from != zombie.to)
      send(zombie);
  }

  void lag() {
    sent_to_ = head_;
    send(header(head_, head_, epoch_, frame::lagging));
  }

  void ask(bool hostile) {
    for (auto& x : tested_.reader.take_requests(tested_.now)) {
      if (hostile && below(4) == 0)
        continue;
      if (hostile && below(4) == 0) {
        tested_.reader.postpone(x.shard, tested_.now);
        continue;
      }
      auto span = x.to.value - x.from.value;
      auto to = x.from.value + (below(3) == 0 ? below(span + 1) : span);
      auto epoch = hostile && below(10) == 0 ? epoch_ - 1 : epoch_;
      send(header(x.from.value, to, epoch, frame::replay), true);
    }
  }

  void deliver_one() {
    auto x = std::move(net_.front());
    net_.pop_front();
    tested_.take(std::move(x.bytes), x.is_answer);
  }

  void deliver_all() {
    while (!net_.empty())
      deliver_one();
  }

  void act() {
    tested_.now += std::chrono::milliseconds{below(300)};
    switch (below(20)) {
    case 0:
      return change_owner();
    case 1:
      return lag();
    case 2:
    case 3:
    case 4:
      return ask(true);
    case 5:
      return tested_.reader.forget_requests();
    default:
      produce();
      send_live();
      for (auto count = below(8); count > 0 && !net_.empty(); --count)
        deliver_one();
    }
  }

  std::mt19937_64 random_;
  fixture tested_;
  uint64_t head_ = 0;
  uint64_t sent_to_ = 0;
  uint64_t epoch_ = 1;
  numbers events_;
  std::deque<packet> net_;
};

} // namespace

CAF_TEST(an adversary cannot make the reader lose or repeat or reorder) {
  auto seed = test_seed();
  CAF_MESSAGE("seed " << seed);
  for (uint64_t round = 0; round < 200; ++round)
    adversary{seed + round}.run(500);
}
