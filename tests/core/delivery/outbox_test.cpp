// SPDX-License-Identifier: MIT
#define CAF_SUITE core.delivery.outbox

#include "core/delivery/outbox.hpp"
#include "tests/core/delivery/recording_bus.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;
using namespace fantail::test;

namespace {

constexpr auto best_effort = event_class::best_effort;
constexpr auto important = event_class::important;
constexpr auto critical = event_class::critical;

using numbers = std::vector<uint64_t>;
using drops = std::array<uint32_t, 3>;

constexpr const char* subject = "instance.events.n1";

struct fixture {
  outbox_config settings{1'000'000, 1'000, 1'000'000, 2'000};
  recording_bus bus;
  frame::writer scratch;
  std::vector<pull_ptr> pulls;
  /// Where every shard was routed to.
  std::vector<shard_position> heads{{epoch{1}, position{0}},
                                    {epoch{1}, position{0}}};

  outbox make(delivery_format format) {
    outbox box{{"n1", format, "life-1"}, settings};
    box.restart({"n1", format, "life-1"}, heads, {});
    return box;
  }

  /// Pushes all events of a pull, and sums up what was dropped for them.
  drops push(outbox& box, pull_ptr x, uint64_t owner = 1) {
    drops result{};
    for (uint32_t i = 0; i < x->size(); ++i) {
      auto dropped = box.push({x.get(), i, epoch{owner}}, x);
      for (size_t c = 0; c < 3; ++c)
        result[c] += dropped[c];
    }
    heads[x->shard.value] = {epoch{owner}, x->to};
    pulls.push_back(std::move(x));
    return result;
  }

  outbox::flushed flush(outbox& box) {
    return box.flush(bus, subject, instance_index{1}, scratch);
  }

  /// All sections published since the last call.
  std::vector<frame::section> sections() {
    std::vector<frame::section> result;
    for (; !bus.messages.empty(); bus.messages.pop_front()) {
      std::string why;
      texts.push_back(bus.messages.front().body);
      auto read = frame::read(texts.back(), &why);
      CAF_REQUIRE_EQUAL(why, "");
      result.insert(result.end(), read->begin(), read->end());
    }
    return result;
  }

  /// The positions of the events published since the last call.
  numbers positions() {
    numbers result;
    for (auto& x : sections())
      for (auto& event : x.events)
        result.push_back(event.pos.value);
    return result;
  }

  /// Owns the bytes behind the sections.
  std::deque<std::string> texts;
};

frame::section_header header(uint16_t shard, uint64_t owner, uint64_t from,
                             uint64_t to, uint16_t flags = 0) {
  return {shard_id{shard}, flags, epoch{owner}, position{from}, position{to}};
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(outbox_tests, fixture)

CAF_TEST(single_sends_bytes_and_headers_as_published) {
  auto box = make(delivery_format::single);
  push(box, make_pull(0, 0, 9, {{3, important}, {5}}));
  CAF_CHECK_EQUAL(flush(box).messages, 2u);
  CAF_REQUIRE_EQUAL(bus.messages.size(), 2u);
  auto first = bus.take();
  CAF_CHECK_EQUAL(first.subject, subject);
  CAF_CHECK_EQUAL(first.body, "0/3 ......");
  CAF_CHECK_EQUAL(first.headers,
                  "NATS/1.0\r\nFantail-Class: important\r\n\r\n");
  CAF_CHECK_EQUAL(bus.take().headers, "");
  CAF_CHECK(!box.is_pending());
}

CAF_TEST(a_section_speaks_for_its_whole_pull) {
  auto box = make(delivery_format::frame);
  push(box, make_pull(0, 0, 9, {{3}, {5}}));
  push(box, make_pull(1, 0, 4, {{4}}));
  push(box, make_pull(0, 9, 20, {{15}}));
  flush(box);
  CAF_CHECK_EQUAL(bus.messages.size(), 1u);
  auto got = sections();
  CAF_REQUIRE_EQUAL(got.size(), 3u);
  CAF_CHECK(got[0].header == header(0, 1, 0, 9));
  CAF_CHECK(got[1].header == header(1, 1, 0, 4));
  CAF_CHECK(got[2].header == header(0, 1, 9, 20));
  CAF_CHECK_EQUAL(got[0].events.size(), 2u);
}

CAF_TEST(the_oldest_best_effort_goes_first_then_the_oldest_important) {
  settings.events_max = 3;
  auto box = make(delivery_format::single);
  push(box, make_pull(0, 0, 3, {{1, important}, {2, best_effort}, {3}}));
  CAF_CHECK(push(box, make_pull(0, 3, 4, {{4, best_effort}}))
            == (drops{0, 0, 1}));
  CAF_CHECK(push(box, make_pull(0, 4, 5, {{5}})) == (drops{0, 0, 1}));
  CAF_CHECK(push(box, make_pull(0, 5, 6, {{6, important}}))
            == (drops{0, 1, 0}));
  CAF_CHECK(push(box, make_pull(0, 6, 7, {{7, best_effort}}))
            == (drops{0, 0, 1}));
  CAF_CHECK(push(box, make_pull(0, 7, 8, {{8}})) == (drops{0, 1, 0}));
  flush(box);
  std::string bodies;
  while (!bus.messages.empty())
    bodies += bus.take().body;
  CAF_CHECK_EQUAL(bodies, "0/3 ......0/5 ......0/8 ......");
}

CAF_TEST(single_never_drops_a_critical_event) {
  settings.events_max = 3;
  auto box = make(delivery_format::single);
  CAF_CHECK(push(box, make_pull(0, 0, 6, {{1}, {2}, {3}, {4}, {5}, {6}}))
            == drops{});
  CAF_CHECK_EQUAL(box.pending_events(), 6u);
  CAF_CHECK(!box.is_lagging());
}

CAF_TEST(bytes_are_bounded_like_events) {
  settings.bytes_max = 350;
  auto box = make(delivery_format::frame);
  // A header block of 44 bytes asks for the class.
  CAF_CHECK(
      push(box, make_pull(0, 0, 3, {{1, best_effort, 100}, {2, critical, 100}}))
      == drops{});
  CAF_CHECK(push(box, make_pull(0, 3, 4, {{4, critical, 200}}))
            == (drops{0, 0, 1}));
  CAF_CHECK_EQUAL(box.pending_bytes(), 300u);
  push(box, make_pull(0, 4, 5, {{5, critical, 100}}));
  CAF_CHECK(box.is_lagging());
  CAF_CHECK_EQUAL(box.pending_bytes(), 0u);
}

CAF_TEST(a_frame_keeps_its_bound_unless_one_event_is_larger) {
  std::mt19937_64 random{test_seed()};
  auto box = make(delivery_format::frame);
  uint64_t head[2] = {};
  for (int round = 0; round < 300; ++round) {
    for (auto left = random() % 6; left > 0; --left) {
      auto shard = static_cast<uint16_t>(random() % 2);
      auto& at = head[shard];
      auto from = at;
      std::vector<event_spec> events;
      for (auto count = random() % 8; count > 0; --count)
        events.push_back({at += 1 + random() % 3, critical,
                          random() % 20 == 0 ? 3'000 : random() % 700});
      at += random() % 3;
      push(box, make_pull(shard, from, at, events));
    }
    flush(box);
    for (auto& x : bus.messages) {
      auto read = frame::read(x.body);
      CAF_REQUIRE(read.has_value());
      auto is_alone = read->size() == 1 && (*read)[0].events.size() == 1;
      CAF_REQUIRE(is_alone || x.body.size() <= settings.frame_bytes_max);
    }
    bus.messages.clear();
  }
}

CAF_TEST(sections_join_without_gap_or_overlap) {
  std::mt19937_64 random{test_seed()};
  settings.frame_bytes_max = 300;
  auto box = make(delivery_format::frame);
  uint64_t head[2] = {}, told[2] = {};
  numbers expected[2], got[2];
  for (int round = 0; round < 2'000; ++round) {
    auto shard = static_cast<uint16_t>(random() % 2);
    auto from = head[shard];
    std::vector<event_spec> events;
    for (auto count = random() % 12; count > 0; --count) {
      events.push_back({head[shard] += 1 + random() % 3});
      expected[shard].push_back(head[shard]);
    }
    head[shard] += random() % 4;
    push(box, make_pull(shard, from, head[shard], events));
    if (random() % 3 == 0)
      flush(box);
    if (random() % 10 == 0 && !box.is_pending())
      box.tell_positions(heads, bus, subject, scratch);
    for (auto& x : sections()) {
      auto i = x.header.shard.value;
      CAF_REQUIRE_EQUAL(x.header.from.value, told[i]);
      told[i] = x.header.to.value;
      for (auto& event : x.events)
        got[i].push_back(event.pos.value);
    }
    box.acknowledge(shard_id{0}, position{told[0]}, heads);
    box.acknowledge(shard_id{1}, position{told[1]}, heads);
    CAF_REQUIRE_EQUAL(box.unacknowledged_bytes(), 0u);
  }
  flush(box);
  for (auto& x : sections())
    for (auto& event : x.events)
      got[x.header.shard.value].push_back(event.pos.value);
  CAF_CHECK(got[0] == expected[0]);
  CAF_CHECK(got[1] == expected[1]);
}

CAF_TEST(positions_without_events_are_told_once) {
  auto box = make(delivery_format::frame);
  heads[0].at = position{7};
  box.tell_positions(heads, bus, subject, scratch);
  auto got = sections();
  CAF_REQUIRE_EQUAL(got.size(), 1u);
  CAF_CHECK(got[0].header == header(0, 1, 0, 7));
  box.tell_positions(heads, bus, subject, scratch);
  CAF_CHECK(bus.messages.empty());
}

CAF_TEST(a_full_window_makes_lagging_and_catching_up_makes_live) {
  settings.window_bytes_max = 500;
  auto box = make(delivery_format::frame);
  push(box, make_pull(0, 0, 5, {{5, critical, 450}}));
  flush(box);
  CAF_CHECK(box.is_lagging());
  sections();
  push(box, make_pull(0, 5, 9'000, {{6}}));
  CAF_CHECK(!box.is_pending());
  box.tell_positions(heads, bus, subject, scratch);
  auto told = sections();
  CAF_REQUIRE_EQUAL(told.size(), 2u);
  CAF_CHECK(told[0].header == header(0, 1, 9'000, 9'000, frame::lagging));
  CAF_CHECK(!box.acknowledge(shard_id{0}, position{3'999}, heads));
  CAF_CHECK(box.acknowledge(shard_id{0}, position{4'000}, heads));
  CAF_CHECK(!box.is_lagging());
  CAF_CHECK_EQUAL(box.unacknowledged_bytes(), 0u);
  push(box, make_pull(0, 9'000, 9'001, {{9'001}}));
  flush(box);
  // The gap (4000, 9000] is evident and will be asked for.
  CAF_CHECK(sections().at(0).header == header(0, 1, 9'000, 9'001));
}

CAF_TEST(an_acknowledgement_frees_the_window) {
  auto box = make(delivery_format::frame);
  push(box, make_pull(0, 0, 5, {{5}}));
  flush(box);
  push(box, make_pull(1, 0, 3, {{3}}));
  flush(box);
  auto all = box.unacknowledged_bytes();
  box.acknowledge(shard_id{0}, position{4}, heads);
  CAF_CHECK_EQUAL(box.unacknowledged_bytes(), all);
  box.acknowledge(shard_id{0}, position{5}, heads);
  CAF_CHECK_EQUAL(box.unacknowledged_bytes(), all / 2);
  // A late acknowledgement takes nothing back.
  box.acknowledge(shard_id{0}, position{1}, heads);
  box.acknowledge(shard_id{1}, position{3}, heads);
  CAF_CHECK_EQUAL(box.unacknowledged_bytes(), 0u);
}

CAF_TEST(a_new_life_starts_behind_the_heads) {
  auto box = make(delivery_format::frame);
  push(box, make_pull(0, 0, 5, {{5}}));
  box.restart({"n1", delivery_format::frame, "life-2"}, heads, {});
  CAF_CHECK(!box.is_pending());
  push(box, make_pull(0, 5, 9, {{8}}));
  flush(box);
  CAF_CHECK(sections().at(0).header == header(0, 1, 5, 9));
}

CAF_TEST(a_rewind_sends_again_what_was_cut_off) {
  auto box = make(delivery_format::frame);
  auto first = make_pull(0, 0, 5, {{3}, {5}});
  auto second = make_pull(0, 5, 9, {{8}});
  push(box, first);
  flush(box);
  push(box, second);
  bus.publishes_left = 0;
  CAF_CHECK(flush(box).link_failed);
  bus.publishes_left = 100;
  sections();
  box.link_lost();
  box.rewind(shard_id{0}, epoch{1}, position{5});
  box.rewind(shard_id{0}, epoch{1}, position{0});
  push(box, first);
  push(box, second);
  flush(box);
  auto got = sections();
  CAF_REQUIRE_EQUAL(got.size(), 2u);
  CAF_CHECK(got[0].header == header(0, 1, 0, 5));
  CAF_CHECK(got[1].header == header(0, 1, 5, 9));
}

CAF_TEST(what_is_left_of_a_lost_stream_keeps_its_epoch) {
  auto box = make(delivery_format::frame);
  push(box, make_pull(0, 0, 90, {{80}}));
  flush(box);
  push(box, make_pull(0, 90, 100, {{95}}));
  box.begin_anew(shard_id{0}, epoch{2});
  box.rewind(shard_id{0}, epoch{2}, position{0});
  CAF_CHECK_EQUAL(box.unacknowledged_bytes(), 0u);
  push(box, make_pull(0, 0, 3, {{2}}), 2);
  push(box, make_pull(0, 3, 6, {{6}}), 2);
  sections();
  flush(box);
  auto got = sections();
  CAF_REQUIRE_EQUAL(got.size(), 3u);
  CAF_CHECK(got[0].header == header(0, 1, 90, 100));
  CAF_CHECK(got[1].header == header(0, 2, 0, 3, frame::restarted));
  CAF_CHECK(got[2].header == header(0, 2, 3, 6, frame::restarted));
}

CAF_TEST(a_lagging_instance_learns_that_the_stream_began_anew) {
  settings.events_max = 1;
  auto box = make(delivery_format::frame);
  push(box, make_pull(0, 0, 90, {{1}, {2}, {3}}));
  CAF_CHECK(box.is_lagging());
  box.begin_anew(shard_id{0}, epoch{2});
  box.rewind(shard_id{0}, epoch{2}, position{0});
  heads[0] = {epoch{2}, position{4}};
  box.tell_positions(heads, bus, subject, scratch);
  CAF_CHECK(sections().at(0).header
            == header(0, 2, 0, 4, frame::lagging | frame::restarted));
}

CAF_TEST(a_life_resumes_where_the_one_before_had_acknowledged) {
  auto box = make(delivery_format::frame);
  push(box, make_pull(0, 0, 9, {{3}, {9}}));
  flush(box);
  sections();
  box.acknowledge(shard_id{0}, position{5}, heads);
  box.restart({"n1", delivery_format::frame, "life-2"}, heads, {true});
  CAF_CHECK(box.positions(heads)[0].at == position{5});
  CAF_CHECK(box.positions(heads)[1].at == position{0});
  CAF_CHECK(!box.is_lagging());
  // A quiet shard shows the gap, too.
  box.tell_positions(heads, bus, subject, scratch);
  auto told = sections();
  CAF_REQUIRE_EQUAL(told.size(), 1u);
  CAF_CHECK(told[0].header.from == position{9});
  push(box, make_pull(0, 9, 12, {{11}}));
  flush(box);
  auto live = sections();
  CAF_REQUIRE_EQUAL(live.size(), 1u);
  CAF_CHECK(live[0].header.from == position{9});
  CAF_CHECK(box.acknowledged(shard_id{0}) == position{5});
}

CAF_TEST(a_life_that_resumes_far_behind_is_lagging) {
  auto box = make(delivery_format::frame);
  push(box, make_pull(0, 0, 9'000, {{9'000}}));
  flush(box);
  sections();
  box.restart({"n1", delivery_format::frame, "life-2"}, heads, {true});
  CAF_CHECK(box.is_lagging());
  box.acknowledge(shard_id{0}, position{8'000}, heads);
  CAF_CHECK(!box.is_lagging());
}

CAF_TEST(what_the_instance_remembers_is_believed_within_the_stream) {
  auto box = make(delivery_format::frame);
  heads = {{epoch{7}, position{50}}, {epoch{7}, position{50}}};
  auto begins = [&](uint64_t in_epoch, uint64_t at) {
    life_start start;
    start.kept = {shard_position{epoch{in_epoch}, position{at}}, std::nullopt};
    box.restart({"n1", delivery_format::frame, "x"}, heads, start);
    CAF_CHECK(box.positions(heads)[1].at == position{50});
    return box.positions(heads)[0].at.value;
  };
  CAF_CHECK_EQUAL(begins(7, 20), 20u);
  CAF_CHECK_EQUAL(begins(5, 20), 20u);
  // Of a stream that is gone, or of an owner yet to come.
  CAF_CHECK_EQUAL(begins(7, 51), 50u);
  CAF_CHECK_EQUAL(begins(8, 20), 50u);
  box.begin_anew(shard_id{0}, epoch{6});
  CAF_CHECK_EQUAL(begins(5, 20), 0u);
  CAF_CHECK_EQUAL(begins(6, 20), 20u);
}

CAF_TEST(a_single_instance_begins_where_things_are_whatever_it_remembers) {
  auto box = make(delivery_format::single);
  heads = {{epoch{7}, position{90'000}}, {epoch{7}, position{50}}};
  life_start start{true, {shard_position{epoch{7}, position{1}}, std::nullopt}};
  box.restart({"n1", delivery_format::single, "life-2"}, heads, start);
  CAF_CHECK(!box.is_lagging());
  CAF_CHECK(box.positions(heads)[0].at == position{90'000});
  // Nothing of this format was acknowledged by the life before.
  box.restart({"n1", delivery_format::frame, "life-3"}, heads, {true});
  CAF_CHECK(!box.is_lagging());
}

CAF_TEST(a_dead_instance_gets_nothing_until_it_has_caught_up) {
  auto box = make(delivery_format::frame);
  push(box, make_pull(0, 0, 3, {{3}}));
  box.begin_lagging();
  CAF_CHECK(!box.is_pending());
  push(box, make_pull(0, 3, 9'000, {{9}}));
  flush(box);
  CAF_CHECK(sections().empty());
  box.acknowledge(shard_id{0}, position{9'000}, heads);
  CAF_CHECK(!box.is_lagging());
}

CAF_TEST_FIXTURE_SCOPE_END()
