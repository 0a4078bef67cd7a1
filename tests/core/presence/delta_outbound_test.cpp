// SPDX-License-Identifier: MIT
#define CAF_SUITE core.presence.delta_outbound

#include "core/presence/delta_outbound.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <random>

using namespace fantail;

namespace {

using status = presence_answer::status;

constexpr presence_shard_id self{3};

user_change change_of(uint32_t user, size_t channels = 0) {
  user_change x;
  x.what = user_change::kind::join_channels;
  x.user = user_handle{user};
  for (size_t i = 0; i < channels; ++i)
    x.channels.push_back("channel");
  return x;
}

presence_answer answer_of(status what, uint64_t version = 1) {
  return {what, "u", {}, log_position{version}, {}, presence_reject::none, {}};
}

std::vector<presence_delta_ptr> deltas(delta_outbound& out) {
  std::vector<presence_delta_ptr> result;
  out.take_deltas(result);
  return result;
}

std::vector<due_answer> answers(delta_outbound& out) {
  if (auto problem = out.check_invariants())
    CAF_FAIL(*problem);
  std::vector<due_answer> result;
  out.take_answers(result);
  return result;
}

using positions = std::vector<std::pair<shard_id, position>>;

} // namespace

CAF_TEST(changes_of_a_shard_travel_together_and_deltas_are_numbered_from_1) {
  delta_outbound out{self, 4};
  CAF_CHECK(!out.has_deltas());
  out.add(shard_id{1}, change_of(7));
  out.add(shard_id{2}, change_of(7));
  out.add(shard_id{1}, change_of(8));
  CAF_CHECK(out.has_deltas());
  auto first = deltas(out);
  CAF_REQUIRE_EQUAL(first.size(), 2u);
  CAF_CHECK(first[0]->from == self && first[0]->to == shard_id{1});
  CAF_CHECK_EQUAL(first[0]->number, 1u);
  CAF_CHECK_EQUAL(first[0]->changes.size(), 2u);
  CAF_CHECK_EQUAL(first[1]->number, 1u);
  CAF_CHECK(deltas(out).empty());
  out.add(shard_id{1}, change_of(9));
  CAF_CHECK_EQUAL(deltas(out).at(0)->number, 2u);
}

CAF_TEST(a_delta_has_a_bounded_number_of_changes_and_channels) {
  delta_outbound out{self, 1};
  for (uint32_t i = 0; i < limits::delta_changes_max + 1; ++i)
    out.add(shard_id{0}, change_of(i));
  auto many = deltas(out);
  CAF_REQUIRE_EQUAL(many.size(), 2u);
  CAF_CHECK_EQUAL(many[0]->changes.size(), limits::delta_changes_max);
  for (uint32_t i = 0; i < 4; ++i)
    out.add(shard_id{0}, change_of(i, 6'000));
  CAF_CHECK_EQUAL(deltas(out).size(), 2u);
}

CAF_TEST(joined_is_due_when_all_its_shards_have_applied) {
  delta_outbound out{self, 4};
  out.add(shard_id{0}, change_of(1));
  out.add(shard_id{2}, change_of(1));
  out.expect(0b101, "_INBOX.a", answer_of(status::joined));
  deltas(out);
  CAF_CHECK(out.applied(shard_id{2}, 1, position{50}));
  CAF_CHECK(answers(out).empty());
  CAF_CHECK(out.applied(shard_id{0}, 1, position{7}));
  auto due = answers(out);
  CAF_REQUIRE_EQUAL(due.size(), 1u);
  CAF_CHECK_EQUAL(due[0].reply_to, "_INBOX.a");
  CAF_CHECK(
      (due[0].answer.positions
       == positions{{shard_id{0}, position{7}}, {shard_id{2}, position{50}}}));
  CAF_CHECK_EQUAL(out.answers_pending(), 0u);
}

CAF_TEST(left_is_due_when_all_its_shards_have_drained) {
  delta_outbound out{self, 1};
  out.add(shard_id{0}, change_of(1));
  out.expect(1, "_INBOX.a", answer_of(status::left));
  deltas(out);
  CAF_CHECK(!out.drained(shard_id{0}, 1, position{5}));
  CAF_CHECK(out.applied(shard_id{0}, 1, position{5}));
  CAF_CHECK(answers(out).empty());
  CAF_CHECK(out.drained(shard_id{0}, 1, position{9}));
  auto due = answers(out);
  CAF_REQUIRE_EQUAL(due.size(), 1u);
  CAF_CHECK((due[0].answer.positions == positions{{shard_id{0}, position{9}}}));
}

CAF_TEST(what_concerns_no_shard_and_refusals_are_answered_at_once) {
  delta_outbound out{self, 1};
  out.expect(0, "_INBOX.a", answer_of(status::left));
  out.expect(1, "_INBOX.b", answer_of(status::rejected));
  auto due = answers(out);
  CAF_REQUIRE_EQUAL(due.size(), 2u);
  CAF_CHECK(due[0].answer.positions.empty());
  CAF_CHECK(due[1].answer.positions.empty());
}

CAF_TEST(a_change_that_tells_nothing_waits_for_what_was_told_before) {
  delta_outbound out{self, 1};
  out.add(shard_id{0}, change_of(1));
  // The user's second session on the same instance.
  out.expect(1, "_INBOX.a", answer_of(status::joined));
  deltas(out);
  out.expect(1, "_INBOX.b", answer_of(status::joined));
  CAF_CHECK(answers(out).empty());
  out.applied(shard_id{0}, 1, position{5});
  CAF_CHECK_EQUAL(answers(out).size(), 2u);
  out.expect(1, "_INBOX.c", answer_of(status::joined));
  auto due = answers(out);
  CAF_REQUIRE_EQUAL(due.size(), 1u);
  CAF_CHECK((due[0].answer.positions == positions{{shard_id{0}, position{5}}}));
  // The end of that session: applied, but not drained yet.
  out.expect(1, "_INBOX.d", answer_of(status::left));
  CAF_CHECK(answers(out).empty());
  out.drained(shard_id{0}, 1, position{6});
  CAF_CHECK_EQUAL(answers(out).size(), 1u);
}

CAF_TEST(impossible_acknowledgements_are_refused) {
  delta_outbound out{self, 2};
  out.add(shard_id{0}, change_of(1));
  CAF_CHECK(!out.applied(shard_id{0}, 1, position{1}));
  deltas(out);
  CAF_CHECK(!out.applied(shard_id{0}, 2, position{1}));
  CAF_CHECK(!out.applied(shard_id{2}, 0, position{1}));
  CAF_CHECK(!out.drained(shard_id{9}, 0, position{1}));
  CAF_CHECK(out.applied(shard_id{0}, 1, position{1}));
  CAF_CHECK(out.applied(shard_id{0}, 0, position{1}));
  CAF_CHECK_EQUAL(out.applied_number(shard_id{0}), 1u);
  CAF_CHECK(!out.check_invariants());
}

CAF_TEST(a_shard_that_starts_again_gets_what_it_had_not_applied) {
  delta_outbound out{self, 1};
  for (uint32_t i = 0; i < 5; ++i) {
    out.add(shard_id{0}, change_of(i));
    deltas(out);
  }
  out.add(shard_id{0}, change_of(9));
  out.applied(shard_id{0}, 2, position{1});
  std::vector<presence_delta_ptr> again;
  CAF_CHECK(out.resend(shard_id{0}, 3, again));
  CAF_REQUIRE_EQUAL(again.size(), 2u);
  CAF_CHECK_EQUAL(again[0]->number, 4u);
  CAF_CHECK_EQUAL(again[1]->number, 5u);
  CAF_CHECK(out.resend(shard_id{0}, 5, again));
  CAF_CHECK_EQUAL(again.size(), 2u);
  CAF_CHECK(!out.resend(shard_id{0}, 1, again));
  CAF_CHECK(!out.resend(shard_id{0}, 6, again));
  CAF_CHECK(!out.resend(shard_id{1}, 0, again));
}

CAF_TEST(it_is_full_when_too_many_deltas_are_unapplied) {
  delta_outbound out{self, 2};
  for (uint32_t i = 0; i < limits::deltas_unapplied_max; ++i) {
    CAF_CHECK(!out.is_full());
    out.add(shard_id{static_cast<uint16_t>(i % 2)}, change_of(i));
    deltas(out);
  }
  CAF_CHECK(out.is_full());
  out.applied(shard_id{1}, 1, position{1});
  CAF_CHECK(!out.is_full());
}

namespace {

/// What the outbound side should do, counted naively.
struct outbound_model {
  static constexpr uint16_t shards = 5;

  struct shard {
    uint64_t cut = 0;
    size_t in_open = 0;
    uint64_t applied = 0;
    uint64_t drained = 0;
  };

  struct expected {
    bool left;
    /// Shard to the number of the delta that carries the change.
    std::map<uint16_t, uint64_t> numbers;
  };

  std::mt19937_64 random;
  delta_outbound out{self, shards};
  std::array<shard, shards> state;
  std::map<uint64_t, expected> open;
  uint64_t version = 0;

  explicit outbound_model(uint64_t seed) : random(seed) {}

  void change_some() {
    auto mask = random() % (1u << shards);
    expected x{random() % 2 == 0, {}};
    for (uint16_t n = 0; n < shards; ++n)
      if (mask >> n & 1) {
        out.add(shard_id{n}, change_of(n));
        auto& y = state[n];
        x.numbers[n] = y.cut + 1;
        if (++y.in_open == limits::delta_changes_max)
          cut(y);
      }
    ++version;
    out.expect(mask, "_INBOX.x",
               answer_of(x.left ? status::left : status::joined, version));
    open.emplace(version, std::move(x));
  }

  void send() {
    for (auto& x : state)
      if (x.in_open > 0)
        cut(x);
    for (auto& delta : deltas(out))
      CAF_REQUIRE(delta->number <= state[delta->to.value].cut);
    CAF_REQUIRE(!out.has_deltas());
  }

  void acknowledge(uint16_t n) {
    auto& x = state[n];
    auto number = x.applied + random() % (x.cut - x.applied + 1);
    number -= std::min(number, random() % 3);
    auto was_sent = out.applied(shard_id{n}, number, position{number});
    if (was_sent)
      x.applied = std::max(x.applied, number);
  }

  void drain(uint16_t n) {
    auto& x = state[n];
    auto number = x.applied - std::min(x.applied, random() % 3);
    CAF_REQUIRE(out.drained(shard_id{n}, number, position{number}));
    x.drained = std::max(x.drained, number);
  }

  void check() {
    for (auto& due : answers(out)) {
      auto i = open.find(due.answer.version.value);
      CAF_REQUIRE(i != open.end());
      CAF_REQUIRE(is_due(i->second));
      CAF_REQUIRE_EQUAL(due.answer.positions.size(), i->second.numbers.size());
      for (auto& [n, at] : due.answer.positions)
        CAF_REQUIRE(at.value >= i->second.numbers.at(n.value));
      open.erase(i);
    }
    CAF_REQUIRE_EQUAL(open.size(), out.answers_pending());
    for (auto& [number, x] : open)
      CAF_REQUIRE(!is_due(x));
  }

private:
  static void cut(shard& x) {
    ++x.cut;
    x.in_open = 0;
  }

  bool is_due(const expected& x) const {
    return std::all_of(x.numbers.begin(), x.numbers.end(), [&](auto& entry) {
      auto& y = state[entry.first];
      return (x.left ? y.drained : y.applied) >= entry.second;
    });
  }
};

} // namespace

CAF_TEST(answers_are_neither_early_nor_forgotten) {
  outbound_model model{test_seed()};
  for (int step = 0; step < 50'000; ++step) {
    auto n = static_cast<uint16_t>(model.random() % outbound_model::shards);
    switch (model.random() % 4) {
    case 0:
      model.change_some();
      break;
    case 1:
      model.send();
      break;
    case 2:
      model.acknowledge(n);
      break;
    default:
      model.drain(n);
    }
    model.check();
  }
  CAF_CHECK(model.version - model.open.size() > 1000);
}
