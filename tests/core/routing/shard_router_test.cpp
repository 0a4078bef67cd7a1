// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.shard_router

#include "core/routing/shard_router.hpp"
#include "tests/core/routing/naive_table.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <iterator>

using namespace fantail;

namespace {

using kind = user_change::kind;
using targets = std::set<uint16_t>;

/// A shard's stream, a presence shard and the router between them.
struct fixture {
  presence_delta delta(std::vector<user_change> changes) {
    presence_delta result;
    result.from = from;
    result.to = shard;
    result.number = ++numbers[from.value];
    result.changes = std::move(changes);
    return result;
  }

  static user_change at(int64_t stored_at_ns, kind what, uint32_t user,
                        const char* channel, uint16_t instance = 0) {
    user_change result;
    result.what = what;
    result.user = user_handle{user};
    result.instance = instance_index{instance};
    result.stored_at_ns = stored_at_ns;
    if (channel)
      result.channels.push_back(channel);
    return result;
  }

  /// Brings a user online in one channel.
  void join(uint32_t user, const char* channel, uint16_t instance) {
    router.apply(delta({at(1, kind::add_instance, user, nullptr, instance),
                        at(1, kind::join_channels, user, channel)}));
  }

  void leave(int64_t stored_at_ns, uint32_t user, const char* channel) {
    router.apply(
        delta({at(stored_at_ns, kind::leave_channels, user, channel)}));
  }

  pull_ptr pulled(std::vector<std::pair<const char*, int64_t>> events,
                  uint64_t pending) {
    for (auto& [channel, stored_at_ns] : events)
      builder.add(position{builder.to().value + 1}, stored_at_ns, channel, {},
                  "body");
    return builder.finish(0, pending);
  }

  /// Routes one event and returns where it went.
  targets route(const char* channel, int64_t stored_at_ns,
                uint64_t pending = 1) {
    auto events = pulled({{channel, stored_at_ns}}, pending);
    delivery_list group;
    router.route(*events, {&group, 1});
    return targets_of(group, 0);
  }

  static targets targets_of(const delivery_list& group, uint32_t event) {
    targets result;
    uint32_t begin = 0;
    for (auto& x : group.items) {
      for (auto i = begin; i < x.end && x.event == event; ++i)
        if (!result.insert(group.instances[i].value).second)
          CAF_ERROR("instance " << group.instances[i].value << " twice");
      begin = x.end;
    }
    return result;
  }

  shard_id shard{5};
  presence_shard_id from{1};
  std::map<uint16_t, uint64_t> numbers;
  shard_router router{shard};
  pull_builder builder{shard, position{0}};
};

/// What really happened: at every time either a change or an event. The
/// router learns of both late and out of step.
struct history {
  history(change_generator& random, int64_t end) : states(1) {
    naive_table model;
    for (int64_t now = 1; now <= end; ++now) {
      if (random.below(2) == 0) {
        auto home = random.home();
        auto x = random.next();
        x.stored_at_ns = now;
        model.apply(home, x);
        changes.emplace_back(home, x);
      } else {
        events.emplace_back(random.channel(random.below(8)), now);
      }
      states.push_back(model.places());
    }
  }

  bool was_there(size_t event, uint16_t instance, int64_t time) const {
    return states[static_cast<size_t>(time)].contains(
        {events[event].first, instance_index{instance}});
  }

  /// Instances that were missed or served wrongly by a router that knows the
  /// first `known` changes. It must reach who was there when the event was
  /// stored, and may reach who came until the newest change it knows.
  size_t misrouted(size_t event, size_t known, const targets& reached) const {
    auto newest = known == 0 ? 0 : changes[known - 1].second.stored_at_ns;
    auto told = std::min(events[event].second, newest);
    size_t result = 0;
    for (uint16_t instance = 0; instance < 9; ++instance) {
      auto may = false;
      for (auto time = told; time <= newest; ++time)
        may |= was_there(event, instance, time);
      auto hit = reached.contains(instance);
      result += hit ? !may : was_there(event, instance, told);
    }
    return result;
  }

  std::vector<std::pair<std::string, int64_t>> events;
  std::vector<std::pair<presence_shard_id, user_change>> changes;
  /// Who is where, by time.
  std::vector<std::map<naive_table::place, uint32_t>> states;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(shard_router_tests, fixture)

CAF_TEST(an event goes to the instances of the members of its channel) {
  join(1, "general", 3);
  join(2, "general", 4);
  join(3, "random", 4);
  CAF_CHECK(route("general", 10) == (targets{3, 4}));
  CAF_CHECK(route("random", 11) == targets{4});
  CAF_CHECK(route("nobody", 12).empty());
  auto& counters = router.counters();
  CAF_CHECK_EQUAL(counters.events, 3u);
  CAF_CHECK_EQUAL(counters.deliveries, 3u);
  CAF_CHECK_EQUAL(counters.unroutable, 1u);
  CAF_CHECK_EQUAL(router.routed_to().value, 3u);
}

CAF_TEST(every instance belongs to the group of its index) {
  for (uint16_t i = 0; i < 50; ++i)
    join(i, i % 2 ? "odd" : "even", i);
  for (size_t group_count : {1, 2, 3, 4, 7}) {
    auto events = pulled({{"odd", 1}, {"nobody", 2}, {"even", 3}}, 0);
    std::vector<delivery_list> groups(group_count);
    router.route(*events, groups);
    targets odd, even;
    size_t astray = 0;
    for (size_t g = 0; g < group_count; ++g) {
      for (auto x : groups[g].instances)
        astray += x.value % group_count != g;
      odd.merge(targets_of(groups[g], 0));
      even.merge(targets_of(groups[g], 2));
      CAF_CHECK(targets_of(groups[g], 1).empty());
    }
    CAF_CHECK_EQUAL(astray, 0u);
    CAF_CHECK_EQUAL(odd.size(), 25u);
    CAF_CHECK_EQUAL(even.size(), 25u);
  }
}

CAF_TEST(a repeated delta is ignored and a gap is refused) {
  auto first = delta({at(1, kind::add_instance, 1, nullptr, 3)});
  auto second = delta({at(1, kind::join_channels, 1, "general")});
  CAF_CHECK(router.apply(second) == delta_outcome::gap);
  CAF_CHECK_EQUAL(router.applied_number(from), 0u);
  CAF_CHECK(router.apply(first) == delta_outcome::applied);
  CAF_CHECK(router.apply(first) == delta_outcome::repeated);
  CAF_CHECK(router.apply(second) == delta_outcome::applied);
  CAF_CHECK_EQUAL(router.applied_number(from), 2u);
  CAF_CHECK_EQUAL(router.applied_number(presence_shard_id{60}), 0u);
  second.to = shard_id{6};
  CAF_CHECK(router.apply(second) == delta_outcome::misdirected);
  second.to = shard;
  second.from = presence_shard_id{limits::presence_shards_max};
  CAF_CHECK(router.apply(second) == delta_outcome::misdirected);
}

CAF_TEST(an event stored before a leave is delivered although routed later) {
  join(1, "general", 3);
  join(2, "general", 4);
  route("general", 100);
  leave(200, 1, "general");
  CAF_CHECK(route("general", 150) == (targets{3, 4}));
  CAF_CHECK(route("general", 200) == (targets{3, 4}));
  CAF_CHECK(route("general", 201) == targets{4});
  CAF_CHECK(router.recent_departures().empty());
}

CAF_TEST(the last member of a channel still gets what was stored before) {
  join(1, "general", 3);
  leave(200, 1, "general");
  CAF_CHECK(route("general", 150) == targets{3});
  CAF_CHECK_EQUAL(router.table().channels().size(), 1u);
  CAF_CHECK(route("general", 250).empty());
  CAF_CHECK_EQUAL(router.table().channels().size(), 0u);
  CAF_CHECK(router.check_invariants());
}

CAF_TEST(one pull may hold events from before and behind a leave) {
  join(1, "general", 3);
  leave(200, 1, "general");
  auto events = pulled({{"general", 150}, {"general", 250}, {"x", 300}}, 0);
  delivery_list group;
  router.route(*events, {&group, 1});
  CAF_CHECK(targets_of(group, 0) == targets{3});
  CAF_CHECK(targets_of(group, 1).empty());
}

CAF_TEST(who left and came back is reached once) {
  join(1, "general", 3);
  leave(200, 1, "general");
  router.apply(delta({at(300, kind::join_channels, 1, "general")}));
  leave(400, 1, "general");
  CAF_CHECK(route("general", 150) == targets{3});
  router.apply(delta({at(500, kind::join_channels, 1, "general")}));
  CAF_CHECK(route("general", 160) == targets{3});
}

CAF_TEST(an offline user departs from all of its channels) {
  router.apply(delta({at(1, kind::add_instance, 1, nullptr, 3),
                      at(1, kind::join_channels, 1, "a"),
                      at(1, kind::join_channels, 1, "b"),
                      at(200, kind::remove_instance, 1, nullptr, 3)}));
  CAF_CHECK(route("a", 150) == targets{3});
  CAF_CHECK(route("b", 160) == targets{3});
  CAF_CHECK(route("a", 250).empty());
  CAF_CHECK(route("b", 250).empty());
  CAF_CHECK_EQUAL(router.table().channels().size(), 2u);
}

CAF_TEST(a delta is drained once an event stored later was routed) {
  join(1, "general", 3);
  CAF_CHECK_EQUAL(router.drained_number(from), 1u);
  leave(200, 1, "general");
  CAF_CHECK_EQUAL(router.applied_number(from), 2u);
  CAF_CHECK_EQUAL(router.drained_number(from), 1u);
  route("other", 200);
  CAF_CHECK_EQUAL(router.drained_number(from), 1u);
  route("other", 201);
  CAF_CHECK_EQUAL(router.drained_number(from), 2u);
}

CAF_TEST(a delta that vacates nothing is drained with those before it) {
  join(1, "general", 3);
  join(2, "general", 3);
  leave(200, 1, "general");
  CAF_CHECK_EQUAL(router.drained_number(from), 3u);
  leave(210, 2, "general");
  join(9, "another", 3);
  CAF_CHECK_EQUAL(router.applied_number(from), 5u);
  CAF_CHECK_EQUAL(router.drained_number(from), 3u);
  route("other", 500);
  CAF_CHECK_EQUAL(router.drained_number(from), 5u);
}

CAF_TEST(a leave that the router has already passed is drained at once) {
  join(1, "general", 3);
  route("other", 500);
  leave(200, 1, "general");
  CAF_CHECK_EQUAL(router.drained_number(from), 2u);
  CAF_CHECK(router.recent_departures().empty());
}

CAF_TEST(a caught - up router drains at once and still spares late events) {
  join(1, "general", 3);
  leave(200, 1, "general");
  CAF_CHECK_EQUAL(router.drained_number(from), 1u);
  CAF_CHECK(route("other", 150, 0).empty());
  CAF_CHECK(router.caught_up());
  CAF_CHECK_EQUAL(router.drained_number(from), 2u);
  join(1, "general", 3);
  leave(300, 1, "general");
  CAF_CHECK_EQUAL(router.drained_number(from), 4u);
  // It was on its way when the router believed to be at the end.
  CAF_CHECK(route("general", 290) == targets{3});
  CAF_CHECK(route("general", 301).empty());
}

CAF_TEST(idle drains and stalled ends being caught up) {
  join(1, "general", 3);
  leave(200, 1, "general");
  router.idle();
  CAF_CHECK_EQUAL(router.drained_number(from), 2u);
  router.stalled();
  join(1, "general", 3);
  leave(300, 1, "general");
  CAF_CHECK_EQUAL(router.drained_number(from), 3u);
  router.idle();
  CAF_CHECK_EQUAL(router.drained_number(from), 4u);
}

CAF_TEST(a repeated pull is routed again and does not turn time back) {
  join(1, "general", 3);
  auto first = pulled({{"general", 100}}, 0);
  auto second = pulled({{"general", 110}}, 5);
  delivery_list group;
  for (auto& events : {first, second, first}) {
    router.route(*events, {&group, 1});
    CAF_CHECK(targets_of(group, 0) == targets{3});
  }
  CAF_CHECK_EQUAL(router.routed_to().value, 2u);
  CAF_CHECK(!router.caught_up());
}

CAF_TEST(a stream that begins anew counts from its own beginning) {
  join(1, "general", 3);
  for (int i = 0; i < 5; ++i)
    route("other", 100, 0);
  router.restarted();
  CAF_CHECK_EQUAL(router.routed_to().value, 0u);
  CAF_CHECK(!router.caught_up());
  builder = pull_builder{shard, position{0}};
  CAF_CHECK(route("general", 200, 0) == targets{3});
  CAF_CHECK_EQUAL(router.routed_to().value, 1u);
  CAF_CHECK(router.caught_up());
}

CAF_TEST(presence shards drain on their own) {
  presence_shard_id other{2};
  join(1, "general", 3);
  leave(200, 1, "general");
  std::swap(from, other);
  join(1, "random", 4);
  leave(900, 1, "random");
  route("other", 500);
  CAF_CHECK_EQUAL(router.drained_number(other), 2u);
  CAF_CHECK_EQUAL(router.drained_number(from), 1u);
}

CAF_TEST(a range is selected with the membership in force and departures) {
  join(1, "a", 3);
  join(2, "b", 3);
  join(3, "c", 4);
  router.keep_departures_since(0);
  leave(200, 2, "b");
  route("other", 900);
  auto events = pulled({{"a", 100},
                        {"b", 150},
                        {"c", 160},
                        {"nobody", 170},
                        {"b", 250},
                        {"a", 260}},
                       1);
  std::vector<uint32_t> selected;
  router.select(*events, instance_index{3}, selected);
  CAF_CHECK(selected == (std::vector<uint32_t>{0, 1, 5}));
  router.keep_departures_since(INT64_MAX);
  route("other", 901);
  router.select(*events, instance_index{3}, selected);
  CAF_CHECK(selected == (std::vector<uint32_t>{0, 5}));
  CAF_CHECK_EQUAL(router.routed_to().value, 8u);
}

CAF_TEST(departures kept for ranges alone are bounded) {
  constexpr auto most = limits::departures_for_ranges_max;
  router.keep_departures_since(0);
  join(1, "a", 3);
  route("other", 5);
  for (int64_t at = 10; at < 10 + 3 * static_cast<int64_t>(most); at += 3) {
    leave(at, 1, "a");
    join(1, "a", 3);
    if (at % 1000 == 0)
      route("other", at + 2);
  }
  route("other", 1'000'000);
  CAF_CHECK_EQUAL(router.recent_departures().size(), most);
  CAF_CHECK(router.check_invariants());
}

CAF_TEST(a departure behind the router is kept for ranges alone) {
  join(1, "a", 3);
  router.keep_departures_since(0);
  route("other", 900);
  leave(500, 1, "a");
  CAF_CHECK_EQUAL(router.drained_number(from), 2u);
  auto events = pulled({{"a", 400}, {"a", 600}}, 1);
  std::vector<uint32_t> selected;
  router.select(*events, instance_index{3}, selected);
  CAF_CHECK(selected == std::vector<uint32_t>{0});
}

CAF_TEST(a channel explains where its events go) {
  join(1, "general", 3);
  join(2, "general", 3);
  join(3, "general", 4);
  leave(200, 3, "general");
  auto x = router.route_of("general");
  CAF_CHECK(x.known);
  CAF_CHECK_EQUAL(x.members, 2u);
  CAF_REQUIRE_EQUAL(x.stops.size(), 1u);
  CAF_CHECK_EQUAL(x.stops[0].instance.value, 3u);
  CAF_CHECK_EQUAL(x.stops[0].users, 2u);
  CAF_CHECK(x.departing == std::vector{instance_index{4}});
  CAF_CHECK(!router.route_of("nobody").known);
}

CAF_TEST(departures beyond their bound let go of their rows) {
  router = shard_router{shard, 3};
  for (uint32_t i = 0; i < 10; ++i) {
    auto channel = "ch_" + std::to_string(i);
    join(i, channel.c_str(), 3);
    leave(200, i, channel.c_str());
  }
  CAF_CHECK_EQUAL(router.table().channels().size(), 3u);
  CAF_CHECK_EQUAL(router.recent_departures().overflowed(), 7u);
  CAF_CHECK(router.check_invariants());
}

CAF_TEST(a row that loses one departure and gains another stays pinned) {
  router = shard_router{shard, 2};
  for (auto* channel : {"a", "b", "c"})
    join(1, channel, 3);
  leave(200, 1, "c");
  join(1, "c", 3);
  // Recording those of "a" and "b" pushes the old one of "c" out.
  router.apply(delta({at(300, kind::remove_instance, 1, nullptr, 3)}));
  CAF_CHECK(
      router.recent_departures().has(router.table().channels().find("c")));
  CAF_CHECK(router.check_invariants());
}

CAF_TEST(the digest does not depend on the order of users) {
  shard_router other{shard};
  std::vector<user_change> changes;
  for (uint32_t user = 0; user < 100; ++user) {
    auto channel = "ch_" + std::to_string(user % 30);
    changes.push_back(at(1, kind::add_instance, user, nullptr,
                         static_cast<uint16_t>(user % 7)));
    changes.push_back(at(1, kind::join_channels, user, channel.c_str()));
  }
  auto there = delta(changes);
  std::ranges::reverse(changes);
  auto back = there;
  back.changes = changes;
  router.apply(there);
  other.apply(back);
  CAF_CHECK_EQUAL(router.digest(), other.digest());
  CAF_CHECK(router.digest() != 0);
  leave(5, 42, "ch_12");
  CAF_CHECK(router.digest() != other.digest());
}

CAF_TEST(with any lag an event reaches whom it must and nobody else) {
  auto seed = test_seed();
  size_t misrouted = 0, broken = 0;
  for (uint64_t round = 0; round < 30; ++round) {
    router = shard_router{shard};
    numbers.clear();
    builder = pull_builder{shard, position{0}};
    change_generator random{seed + round, 6, 8, 9};
    history world{random, 300};
    size_t next_change = 0;
    for (size_t next_event = 0; next_event < world.events.size();) {
      while (next_change < world.changes.size() && random.below(2) == 0) {
        from = world.changes[next_change].first;
        router.apply(delta({world.changes[next_change++].second}));
      }
      auto size = std::min<size_t>(1 + random.below(5),
                                   world.events.size() - next_event);
      std::vector<std::pair<const char*, int64_t>> part;
      for (size_t i = next_event; i < next_event + size; ++i)
        part.emplace_back(world.events[i].first.c_str(),
                          world.events[i].second);
      auto events = pulled(part, 1);
      delivery_list group;
      router.route(*events, {&group, 1});
      for (uint32_t i = 0; i < size; ++i)
        misrouted += world.misrouted(next_event + i, next_change,
                                     targets_of(group, i));
      next_event += size;
      broken += !router.check_invariants();
      for (uint16_t i = 0; i < 3; ++i)
        broken += router.drained_number(presence_shard_id{i})
                  > router.applied_number(presence_shard_id{i});
    }
  }
  CAF_CHECK_EQUAL(misrouted, 0u);
  CAF_CHECK_EQUAL(broken, 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
