// SPDX-License-Identifier: MIT
#define CAF_SUITE core.delivery.outbox_group

#include "core/delivery/frame_reader.hpp"
#include "core/delivery/outbox_group.hpp"
#include "tests/core/delivery/recording_bus.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace fantail;
using namespace fantail::test;

namespace {

using numbers = std::vector<uint64_t>;

constexpr auto single = delivery_format::single;
constexpr auto framed = delivery_format::frame;

/// Every event of the pull goes to all of `instances`.
delivery make_delivery(pull_ptr source, uint64_t number,
                       const std::vector<uint16_t>& instances,
                       uint64_t owner = 1) {
  delivery result;
  result.owner = epoch{owner};
  result.number = number;
  for (uint32_t i = 0; i < source->size() && !instances.empty(); ++i) {
    for (auto x : instances)
      result.targets.instances.push_back(instance_index{x});
    auto end = static_cast<uint32_t>(result.targets.instances.size());
    result.targets.items.push_back({i, end});
  }
  result.source = std::move(source);
  return result;
}

struct fixture {
  instance_directory names;
  outbox_config settings;
  outbox_group group{settings, names};
  recording_bus bus;
  std::vector<outbox_group::incident> incidents;

  fixture() {
    for (auto* name : {"n0", "n1", "n2", "n3"})
      names.intern(name);
    for (uint16_t i = 0; i < 2; ++i)
      group.set_head(shard_id{i}, {epoch{1}, position{0}});
  }

  numbers confirmed(uint64_t marker) {
    std::vector<outbox_group::confirmation> done;
    group.confirmed(marker, done, incidents);
    numbers result;
    for (auto& x : done)
      result.push_back(x.number);
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(outbox_group_tests, fixture)

CAF_TEST(an_unregistered_instance_gets_single) {
  group.accept(make_delivery(make_pull(0, 0, 5, {{5}}), 1, {2}), incidents);
  CAF_CHECK(group.flush(bus, incidents));
  auto x = bus.take();
  CAF_CHECK_EQUAL(x.subject, "instance.events.n2");
  CAF_CHECK_EQUAL(x.body, "0/5 ......");
  CAF_CHECK(group.find(instance_index{2})->profile().format == single);
  CAF_CHECK(group.find(instance_index{1}) == nullptr);
}

CAF_TEST(a_marker_confirms_what_was_flushed_before_it) {
  group.accept(make_delivery(make_pull(0, 0, 5, {{5}}), 1, {0}), incidents);
  group.accept(make_delivery(make_pull(0, 5, 6, {}), 2, {}), incidents);
  group.flush(bus, incidents);
  CAF_CHECK(!group.is_pending());
  // While the marker is under way, the next one waits.
  group.accept(make_delivery(make_pull(0, 6, 9, {{8}}), 3, {1}), incidents);
  group.flush(bus, incidents);
  group.accept(make_delivery(make_pull(0, 9, 10, {{10}}), 4, {1}), incidents);
  CAF_CHECK_EQUAL(std::ranges::distance(group.unflushed()), 1);
  group.flush(bus, incidents);
  CAF_CHECK(group.unflushed().empty());
  CAF_CHECK(group.is_pending());
  CAF_REQUIRE_EQUAL(bus.messages.size(), 4u);
  auto first = bus.messages[1].marker;
  CAF_CHECK(first > 0);
  CAF_CHECK(group.unconfirmed_bytes() > 0u);
  CAF_CHECK_EQUAL(confirmed(first), (numbers{1, 2}));
  CAF_CHECK_EQUAL(confirmed(first), numbers{});
  group.flush(bus, incidents);
  CAF_CHECK(!group.is_pending());
  CAF_REQUIRE_EQUAL(bus.messages.size(), 5u);
  auto second = bus.messages[4].marker;
  CAF_CHECK(first < second);
  CAF_CHECK_EQUAL(confirmed(second), (numbers{3, 4}));
  CAF_CHECK_EQUAL(group.unconfirmed_bytes(), 0u);
}

CAF_TEST(a_marker_does_not_wait_if_much_has_gathered) {
  auto large = [](uint64_t number) {
    pull_builder builder{shard_id{0}, position{number - 1}};
    builder.add(position{number}, 0, "c", {},
                std::string(limits::unmarked_bytes_max / 2, 'x'));
    return make_delivery(builder.finish(0, 0), number, {0});
  };
  for (uint64_t i = 1; i <= 3; ++i) {
    group.accept(large(i), incidents);
    group.flush(bus, incidents);
  }
  CAF_REQUIRE_EQUAL(bus.messages.size(), 5u);
  CAF_CHECK_EQUAL(confirmed(bus.messages[4].marker), (numbers{1, 2, 3}));
}

CAF_TEST(a_flush_of_nothing_sends_nothing) {
  CAF_CHECK(group.flush(bus, incidents));
  CAF_CHECK(bus.messages.empty());
}

CAF_TEST(a_broken_link_loses_nothing) {
  group.accept(make_delivery(make_pull(0, 0, 5, {{4}, {5}}), 1, {0}),
               incidents);
  bus.publishes_left = 1;
  CAF_CHECK(!group.flush(bus, incidents));
  bus = {};
  group.rewind(incidents);
  CAF_CHECK(group.is_pending());
  CAF_CHECK(group.flush(bus, incidents));
  CAF_REQUIRE_EQUAL(bus.messages.size(), 3u);
  CAF_CHECK_EQUAL(bus.messages[0].body, "0/4 ......");
  CAF_CHECK_EQUAL(confirmed(bus.messages[2].marker), numbers{1});
  CAF_CHECK_EQUAL(group.stats().rewinds, 1u);
}

CAF_TEST(a_new_life_begins_behind_the_heads_and_the_same_life_goes_on) {
  group.admit(instance_index{0}, {"n0", framed, "a"});
  group.accept(make_delivery(make_pull(0, 0, 5, {{5}}), 1, {0}), incidents);
  group.admit(instance_index{0}, {"n0", framed, "a"});
  CAF_CHECK(group.find(instance_index{0})->is_pending());
  auto heads = group.admit(instance_index{0}, {"n0", framed, "b"});
  CAF_CHECK(!group.find(instance_index{0})->is_pending());
  CAF_REQUIRE_EQUAL(heads.size(), 2u);
  CAF_CHECK(heads[0] == (shard_position{epoch{1}, position{5}}));
}

CAF_TEST(only_the_living_incarnation_acknowledges) {
  group.admit(instance_index{0}, {"n0", framed, "a"});
  group.accept(make_delivery(make_pull(0, 0, 5, {{5}}), 1, {0}), incidents);
  group.flush(bus, incidents);
  auto unacknowledged = [&] {
    return group.find(instance_index{0})->unacknowledged_bytes();
  };
  auto acknowledge
      = [&](uint16_t instance, std::string_view life, uint16_t shard) {
          group.acknowledge(instance_index{instance}, life, shard_id{shard},
                            position{5}, incidents);
        };
  acknowledge(0, "b", 0);
  acknowledge(0, "a", 1);
  acknowledge(0, "a", 999);
  acknowledge(3, "a", 0);
  acknowledge(4'000, "a", 0);
  CAF_CHECK(unacknowledged() > 0u);
  acknowledge(0, "a", 0);
  CAF_CHECK_EQUAL(unacknowledged(), 0u);
}

CAF_TEST(incidents_name_the_instance_and_the_class) {
  settings.events_max = 1;
  outbox_group group{settings, names};
  group.set_head(shard_id{0}, {epoch{1}, position{0}});
  group.admit(instance_index{1}, {"n1", framed, "a"});
  std::vector<event_spec> events{{1, event_class::best_effort}, {2}, {3}};
  group.accept(make_delivery(make_pull(0, 0, 3, events), 1, {1}), incidents);
  CAF_REQUIRE_EQUAL(incidents.size(), 2u);
  CAF_CHECK(incidents[0].what == outbox_group::incident::kind::dropped);
  CAF_CHECK(incidents[0].cls == event_class::best_effort);
  CAF_CHECK_EQUAL(incidents[0].count, 1u);
  CAF_CHECK(incidents[1].what == outbox_group::incident::kind::lagging);
  CAF_CHECK(incidents[1].instance == instance_index{1});
  incidents.clear();
  group.acknowledge(instance_index{1}, "a", shard_id{0}, position{0},
                    incidents);
  CAF_REQUIRE_EQUAL(incidents.size(), 1u);
  CAF_CHECK(incidents[0].what == outbox_group::incident::kind::live);
}

CAF_TEST_FIXTURE_SCOPE_END()

namespace {

/// Two `frame` instances, two of `single`, and a link that breaks at random
/// places, with streams that are lost now and then. What the server took
/// before a break arrives, the rest does not.
class flaky_world {
public:
  explicit flaky_world(uint64_t seed) : random_(seed) {
    for (uint16_t i = 0; i < shards; ++i)
      group_.set_head(shard_id{i}, {epoch{1}, position{0}});
    for (uint16_t i = 0; i < 4; ++i)
      names_.intern("n" + std::to_string(i));
    for (uint16_t i = 0; i < framed_count; ++i)
      begin_life(i);
    group_.admit(instance_index{2}, {"n2", single, "s"});
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i)
      act();
    break_link();
    bus_.publishes_left = UINT64_MAX;
    flush();
    serve(SIZE_MAX);
    // Tells of streams that began anew and have no event yet.
    group_.tell_positions(bus_);
    serve(SIZE_MAX);
    CAF_REQUIRE_EQUAL(group_.unconfirmed_bytes(), 0u);
    for (uint16_t i = 0; i < framed_count; ++i)
      CAF_REQUIRE(instances_[i].due.empty());
    for (uint16_t i = framed_count; i < 4; ++i)
      CAF_REQUIRE(instances_[i].due_single.empty());
    for (auto& shard : shard_)
      CAF_REQUIRE_EQUAL(shard.confirmed, shard.number);
  }

private:
  static constexpr uint16_t shards = 2;
  static constexpr uint16_t framed_count = 2;

  struct event_key {
    uint16_t shard;
    uint64_t owner;
    uint64_t pos;
    auto operator<=>(const event_key&) const = default;
  };

  struct shard_state {
    uint64_t owner = 1;
    uint64_t head = 0;
    uint64_t number = 0;
    uint64_t confirmed = 0;
  };

  struct instance_state : frame_reader::sink {
    frame_reader reader;
    int life = 0;
    /// What has to come exactly once, in order per shard.
    std::set<event_key> due;
    std::set<std::string> due_single;
    std::map<shard_id, event_key> last;
    time_point now{};
    std::map<shard_id, fantail::epoch> newest;
    /// Epoch of the section that is being read.
    uint64_t owner = 0;

    void on_event(shard_id shard, const chat_event& event) override {
      event_key key{shard.value, owner, event.pos.value};
      CAF_REQUIRE(last[shard] < key);
      last[shard] = key;
      CAF_REQUIRE_EQUAL(due.erase(key), 1u);
    }
    void on_loss(const frame_reader::loss& gone) override {
      CAF_REQUIRE(gone.restarted);
      // Nobody can bring back what the lost stream still held.
      std::erase_if(due, [&](auto& x) {
        return x.shard == gone.shard.value && x.owner < owner;
      });
    }
  };

  uint64_t below(uint64_t bound) { return random_() % bound; }

  void begin_life(uint16_t i) {
    auto& x = instances_[i];
    auto life = "life-" + std::to_string(++x.life);
    auto heads = group_.admit(instance_index{i},
                              {"n" + std::to_string(i), framed, life});
    std::vector<frame_reader::start> starts;
    for (uint16_t k = 0; k < shards; ++k)
      starts.push_back({shard_id{k}, heads[k].epoch, heads[k].at});
    x.reader = frame_reader{};
    x.reader.begin(starts);
    x.due.clear();
    x.last.clear();
  }

  void produce() {
    auto shard = static_cast<uint16_t>(below(shards));
    auto& state = shard_[shard];
    auto from = state.head;
    std::vector<event_spec> events;
    for (auto left = below(6); left > 0; --left)
      events.push_back({state.head += 1 + below(3)});
    state.head += below(3) + events.empty();
    std::vector<uint16_t> to;
    for (uint16_t i = 0; i < 4; ++i)
      if (below(2))
        to.push_back(i);
    auto source = make_pull(shard, from, state.head, events);
    for (uint32_t k = 0; k < source->size(); ++k)
      for (auto i : to)
        if (i < framed_count)
          instances_[i].due.insert({shard, state.owner, events[k].pos});
        else
          instances_[i].due_single.insert(std::string{(*source)[k].body});
    group_.accept(make_delivery(source, ++state.number, to, state.owner),
                  incidents_);
  }

  /// The stream begins anew; confirmations of the old epoch count no more.
  void lose_stream() {
    auto shard = static_cast<uint16_t>(below(shards));
    auto& state = shard_[shard];
    state = {state.owner + 1, 0, 0, 0};
    group_.set_head(shard_id{shard}, {epoch{state.owner}, position{0}});
  }

  /// A frame_reader that begins inside of an epoch whose stream began anew
  /// takes its first section for that beginning.
  bool has_lost_stream() const {
    return std::ranges::any_of(shard_, [](auto& x) { return x.owner > 1; });
  }

  void flush() {
    if (!group_.flush(bus_, incidents_))
      break_link();
  }

  void break_link() {
    serve(below(bus_.messages.size() + 1));
    bus_ = {};
    group_.rewind(incidents_);
    if (below(2))
      bus_.publishes_left = below(30);
  }

  /// The server handles the first `count` messages.
  void serve(size_t count) {
    for (; count > 0 && !bus_.messages.empty(); --count) {
      auto x = bus_.take();
      if (x.marker > 0)
        confirm(x.marker);
      else
        receive(static_cast<uint16_t>(x.subject.back() - '0'), x.body);
    }
  }

  void confirm(uint64_t marker) {
    std::vector<outbox_group::confirmation> done;
    group_.confirmed(marker, done, incidents_);
    for (auto& x : done) {
      auto& shard = shard_[x.shard.value];
      if (x.owner.value != shard.owner)
        continue;
      CAF_REQUIRE_EQUAL(x.number, shard.confirmed + 1);
      shard.confirmed = x.number;
    }
  }

  void receive(uint16_t i, const std::string& body) {
    auto& x = instances_[i];
    if (i >= framed_count) {
      x.due_single.erase(body);
      return;
    }
    std::string why;
    auto sections = frame::read(body, &why);
    CAF_REQUIRE_EQUAL(why, "");
    for (auto& section : *sections) {
      x.owner = section.header.epoch.value;
      x.reader.take(section, x);
      auto broken = x.reader.check_invariants();
      CAF_REQUIRE_EQUAL(std::string{broken.value_or("")}, "");
      auto& newest = x.newest[section.header.shard];
      newest = std::max(newest, section.header.epoch);
      fill_gaps(x);
    }
  }

  /// A section that only told positions is not sent again after a break. The
  /// gap it leaves never holds an event.
  void fill_gaps(instance_state& x) {
    x.now += std::chrono::seconds{3};
    for (auto& gap : x.reader.take_requests(x.now)) {
      auto owner = x.newest[gap.shard];
      for (auto& due : x.due)
        CAF_REQUIRE(due.shard != gap.shard.value || due.owner != owner.value
                    || due.pos <= gap.from.value || due.pos > gap.to.value);
      frame::section answer;
      answer.header = {gap.shard, frame::replay, owner, gap.from, gap.to};
      x.reader.take_answer(answer, x.now, x);
    }
  }

  void acknowledge(uint16_t i) {
    auto& x = instances_[i];
    for (auto& y : x.reader.take_acknowledgement())
      group_.acknowledge(instance_index{i}, "life-" + std::to_string(x.life),
                         y.shard, y.pos, incidents_);
  }

  void act() {
    switch (below(24)) {
    case 0:
      return break_link();
    case 1:
      if (!group_.is_pending())
        group_.tell_positions(bus_);
      return;
    case 2:
      if (below(8) == 0)
        lose_stream();
      return;
    case 3:
      if (below(8) == 0 && !has_lost_stream())
        begin_life(static_cast<uint16_t>(below(framed_count)));
      return;
    case 4:
    case 5:
    case 6:
      return flush();
    case 7:
    case 8:
      return serve(below(20));
    case 9:
      return acknowledge(static_cast<uint16_t>(below(framed_count)));
    default:
      return produce();
    }
  }

  std::mt19937_64 random_;
  instance_directory names_;
  outbox_config settings_{SIZE_MAX, SIZE_MAX, SIZE_MAX, 400};
  outbox_group group_{settings_, names_};
  recording_bus bus_;
  std::vector<outbox_group::incident> incidents_;
  std::array<shard_state, shards> shard_;
  std::array<instance_state, 4> instances_;
};

} // namespace

CAF_TEST(a_flaky_link_loses_and_repeats_and_reorders_nothing) {
  auto seed = test_seed();
  for (uint64_t round = 0; round < 200; ++round)
    flaky_world{seed + round}.run(500);
}
