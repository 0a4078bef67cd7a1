// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.routing_table

#include "core/limits.hpp"
#include "core/routing/routing_table.hpp"
#include "tests/core/routing/naive_table.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

namespace {

using kind = user_change::kind;

struct fixture {
  static user_change change(kind what, uint32_t user,
                            std::initializer_list<const char*> channels) {
    user_change result;
    result.what = what;
    result.user = user_handle{user};
    for (auto* name : channels)
      result.channels.push_back(name);
    return result;
  }

  static user_change change(kind what, uint32_t user, uint16_t instance) {
    user_change result;
    result.what = what;
    result.user = user_handle{user};
    result.instance = instance_index{instance};
    return result;
  }

  /// Applies a change and returns how many places it vacated.
  size_t apply(const user_change& x) {
    vacated.clear();
    table.apply(home, x, vacated);
    table.release_orphans();
    return vacated.size();
  }

  uint32_t count(std::string_view channel, uint16_t instance) {
    auto row = table.channels().find(channel);
    return row == no_row ? 0
                         : table.rows().count(row, instance_index{instance});
  }

  /// True if the table says exactly what the model says.
  bool agrees_with(const naive_table& model) {
    size_t entries = 0;
    for (auto& [where, expected] : model.places()) {
      ++entries;
      if (count(where.first, where.second.value) != expected)
        return false;
    }
    auto members = model.members();
    for (auto& [channel, expected] : members) {
      auto row = table.channels().find(channel);
      if (row == no_row || table.rows().members(row) != expected)
        return false;
      entries -= table.rows().spread(row);
    }
    return entries == 0 && table.channels().size() == members.size();
  }

  presence_shard_id home{2};
  routing_table table;
  std::vector<vacancy> vacated;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(routing_table_tests, fixture)

CAF_TEST(a channel reaches the instances of its online members) {
  apply(change(kind::add_instance, 1, uint16_t{4}));
  apply(change(kind::join_channels, 1, {"general", "random"}));
  apply(change(kind::join_channels, 2, {"general"}));
  CAF_CHECK_EQUAL(count("general", 4), 1u);
  apply(change(kind::add_instance, 2, uint16_t{4}));
  CAF_CHECK_EQUAL(count("general", 4), 2u);
  CAF_CHECK_EQUAL(count("random", 4), 1u);
  CAF_CHECK(table.check_invariants());
}

CAF_TEST(membership outlives the session) {
  apply(change(kind::set_channels, 1, {"general"}));
  apply(change(kind::add_instance, 1, uint16_t{4}));
  CAF_CHECK_EQUAL(apply(change(kind::remove_instance, 1, uint16_t{4})), 1u);
  CAF_CHECK_EQUAL(table.channels().size(), 1u);
  apply(change(kind::add_instance, 1, uint16_t{9}));
  CAF_CHECK_EQUAL(count("general", 9), 1u);
}

CAF_TEST(set replaces and vacates what is not named any more) {
  apply(change(kind::add_instance, 1, uint16_t{0}));
  apply(change(kind::set_channels, 1, {"a", "b", "c"}));
  CAF_CHECK_EQUAL(apply(change(kind::set_channels, 1, {"c", "d"})), 2u);
  CAF_CHECK_EQUAL(count("a", 0) + count("b", 0), 0u);
  CAF_CHECK_EQUAL(count("c", 0) + count("d", 0), 2u);
  CAF_CHECK_EQUAL(table.channels().size(), 2u);
  CAF_CHECK_EQUAL(apply(change(kind::set_channels, 1, {})), 2u);
  CAF_CHECK_EQUAL(table.channels().size(), 0u);
}

CAF_TEST(a repeated change does nothing) {
  user_change changes[] = {
      change(kind::add_instance, 1, uint16_t{0}),
      change(kind::join_channels, 1, {"a", "a", "b"}),
      change(kind::leave_channels, 1, {"b", "b", "never-joined"}),
      change(kind::remove_instance, 1, uint16_t{0}),
  };
  for (auto& x : changes) {
    apply(x);
    auto digest = table.digest();
    CAF_CHECK_EQUAL(apply(x), 0u);
    CAF_CHECK_EQUAL(table.digest(), digest);
  }
  CAF_CHECK_EQUAL(table.channels().find("never-joined").value, no_row.value);
  CAF_CHECK(table.check_invariants());
}

CAF_TEST(users of different presence shards do not mix) {
  apply(change(kind::join_channels, 1, {"a"}));
  home = presence_shard_id{3};
  apply(change(kind::add_instance, 1, uint16_t{0}));
  CAF_CHECK_EQUAL(count("a", 0), 0u);
  apply(change(kind::join_channels, 1, {"a"}));
  CAF_CHECK_EQUAL(count("a", 0), 1u);
  CAF_CHECK_EQUAL(table.rows().members(table.channels().find("a")), 2u);
}

CAF_TEST(a pinned row outlives its last member) {
  apply(change(kind::add_instance, 1, uint16_t{0}));
  apply(change(kind::join_channels, 1, {"a"}));
  table.apply(home, change(kind::leave_channels, 1, {"a"}), vacated);
  CAF_REQUIRE_EQUAL(vacated.size(), 1u);
  table.pin(vacated[0].row);
  table.release_orphans();
  CAF_CHECK_EQUAL(table.channels().find("a").value, vacated[0].row.value);
  CAF_CHECK(table.check_invariants());
  table.unpin(vacated[0].row);
  CAF_CHECK_EQUAL(table.channels().size(), 0u);
}

CAF_TEST(a user beyond the bound of channels is held there) {
  for (size_t i = 0; i < limits::channels_per_user_max + 10; i += 1000) {
    user_change join;
    join.what = kind::join_channels;
    for (size_t k = i; k < i + 1000; ++k)
      join.channels.push_back("ch_" + std::to_string(k));
    apply(join);
  }
  auto x = table.statistics(0);
  CAF_CHECK_EQUAL(x.memberships, limits::channels_per_user_max);
  CAF_CHECK_EQUAL(x.channels, limits::channels_per_user_max);
  CAF_CHECK_EQUAL(x.memberships_refused, 1000u);
  CAF_CHECK(table.check_invariants());
}

CAF_TEST(an impossible instance is refused) {
  apply(change(kind::join_channels, 1, {"a"}));
  apply(change(kind::add_instance, 1, limits::instances_max));
  apply(change(kind::remove_instance, 1, UINT16_MAX));
  CAF_CHECK_EQUAL(table.statistics(0).changes_refused, 2u);
  CAF_CHECK_EQUAL(table.rows().spread(table.channels().find("a")), 0u);
}

CAF_TEST(statistics name the largest channels first) {
  for (uint32_t user = 0; user < 150; ++user) {
    apply(change(kind::add_instance, user, static_cast<uint16_t>(user % 3)));
    apply(change(kind::join_channels, user, {"large"}));
    if (user < 20)
      apply(change(kind::join_channels, user, {"small"}));
  }
  auto x = table.statistics(5);
  CAF_CHECK_EQUAL(x.channels, 2u);
  CAF_CHECK_EQUAL(x.users_online, 150u);
  CAF_CHECK_EQUAL(x.memberships, 170u);
  CAF_REQUIRE_EQUAL(x.top_channels.size(), 2u);
  CAF_CHECK_EQUAL(x.top_channels[0].channel, "large");
  CAF_CHECK_EQUAL(x.top_channels[0].members, 150u);
  CAF_CHECK_EQUAL(x.top_channels[0].instances, 3u);
  CAF_CHECK_EQUAL(x.channels_by_size[0], 1u);
  CAF_CHECK_EQUAL(x.channels_by_size[1], 1u);
  CAF_CHECK_EQUAL(x.users_on.at(2), 50u);
  CAF_CHECK(x.dictionary_bytes > 0 && x.row_bytes > 0 && x.user_bytes > 0);
}

CAF_TEST(random changes agree with a naive table) {
  auto seed = test_seed();
  size_t wrong = 0, broken = 0;
  for (uint64_t round = 0; round < 4; ++round) {
    table = routing_table{};
    naive_table model;
    change_generator random{seed + round, 5, 30, 12};
    for (int step = 0; step < 1'000; ++step) {
      auto x = random.next();
      home = random.home();
      vacated.clear();
      table.apply(home, x, vacated);
      std::set<naive_table::place> places;
      for (auto& y : vacated)
        places.emplace(table.channels().name_of(y.row), y.instance);
      table.release_orphans();
      wrong += places != model.apply(home, x);
      if (step % 50 == 0)
        wrong += !agrees_with(model);
      if (step % 250 == 0)
        broken += !table.check_invariants();
    }
  }
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK_EQUAL(broken, 0u);
}

CAF_TEST(a million memberships come and go without a trace) {
  change_generator random{test_seed(), 1'000, 2'000, 12};
  std::vector<std::pair<presence_shard_id, user_handle>> users;
  size_t broken = 0;
  for (int step = 0; step < 200'000; ++step) {
    auto x = random.next();
    home = random.home();
    apply(x);
    if (step % 50'000 == 0)
      broken += !table.check_invariants();
  }
  broken += !table.check_invariants();
  table.users().for_each([&](user_key x) {
    users.push_back({x.home, x.user});
  });
  for (auto& [shard, user] : users) {
    home = shard;
    apply(change(kind::set_channels, user.value, {}));
  }
  CAF_CHECK_EQUAL(broken, 0u);
  CAF_CHECK_EQUAL(table.channels().size(), 0u);
  CAF_CHECK_EQUAL(table.statistics(3).memberships, 0u);
  CAF_CHECK(table.check_invariants());
}

CAF_TEST_FIXTURE_SCOPE_END()
