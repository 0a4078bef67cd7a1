// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.channel_scan

#include "core/routing/channel_scan.hpp"
#include "core/routing/channel_watches.hpp"
#include "tests/core/routing/naive_table.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;

namespace {

/// A table and its model under random changes of few users and channels.
struct fixture {
  std::mt19937_64 random{test_seed()};
  routing_table table;
  naive_table model;
  channel_watches watches;

  std::string channel() { return "c" + std::to_string(random() % 12); }

  static std::string name_of(presence_shard_id home, user_handle user) {
    return to_string(home.value) + "/" + to_string(user.value);
  }
  static std::string to_string(uint32_t x) { return std::to_string(x); }

  void change() {
    presence_shard_id home{static_cast<uint16_t>(random() % 3)};
    user_change x;
    x.what = static_cast<user_change::kind>(random() % 5);
    x.user = user_handle{static_cast<uint32_t>(random() % 40)};
    x.instance = instance_index{static_cast<uint16_t>(random() % 4)};
    for (auto i = random() % 4; i > 0; --i)
      x.channels.push_back(channel());
    x.user_name = name_of(home, x.user);
    std::vector<vacancy> vacated;
    watches.before(table, home, x);
    table.apply(home, x, vacated);
    watches.after(table, home, x);
    if (random() % 4 == 0)
      table.release_orphans();
    model.apply(home, x);
  }

  std::set<std::string> online_in(const std::string& channel) const {
    std::set<std::string> result;
    for (auto& [id, who] : model.users)
      if (who.channels.contains(channel) && !who.instances.empty())
        result.insert(name_of(id.first, id.second));
    return result;
  }

  /// Finds them in pages of `limit`, in slices of `slice` users.
  std::set<std::string> find(const std::string& channel, uint32_t limit,
                             size_t slice) const {
    std::set<std::string> result;
    user_key from{};
    while (true) {
      channel_scan scan{channel, from, limit};
      while (!scan.step(table, slice))
        continue;
      CAF_REQUIRE_LESS_OR_EQUAL(scan.found().size(), limit);
      for (auto& x : scan.found()) {
        CAF_REQUIRE(result.insert(name_of(x.user.home, x.user.user)).second);
        auto& known = model.users.at({x.user.home, x.user.user}).instances;
        CAF_REQUIRE(known
                    == std::set<instance_index>(x.instances.begin(),
                                                x.instances.end()));
      }
      auto next = scan.next();
      if (!next)
        return result;
      from = *next;
    }
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(channel_scan_tests, fixture)

CAF_TEST(a scan finds exactly the users who are online in the channel) {
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 40; ++i)
      change();
    for (auto& name : {channel(), channel(), std::string{"nobody"}}) {
      auto wanted = online_in(name);
      CAF_REQUIRE(find(name, 1'000, 1'000) == wanted);
      CAF_REQUIRE(find(name, 1, 7) == wanted);
      CAF_REQUIRE(find(name, 3, 1) == wanted);
    }
  }
}

CAF_TEST(the instances of a channel are counted) {
  for (int i = 0; i < 800; ++i)
    change();
  auto places = model.places();
  for (int c = 0; c < 12; ++c) {
    auto name = "c" + std::to_string(c);
    std::map<naive_table::place, uint32_t> wanted, counted;
    for (auto& [place, count] : places)
      if (place.first == name)
        wanted[place] = count;
    for (auto [instance, count] : count_online(table, name))
      counted[{name, instance}] = count;
    CAF_CHECK(counted == wanted);
  }
}

CAF_TEST(watched channels tell every coming and going) {
  std::map<std::string, std::set<std::string>> known;
  for (auto* name : {"c0", "c5", "never-used"})
    CAF_CHECK(watches.add(name));
  for (int i = 0; i < 1'500; ++i) {
    change();
    std::vector<watched_change> changes;
    std::vector<std::string> missed;
    watches.take(changes, missed);
    CAF_REQUIRE(missed.empty());
    for (auto& x : changes) {
      auto& users = known[x.channel];
      auto is_news = x.is_online ? users.insert(x.user).second
                                 : users.erase(x.user) == 1;
      CAF_REQUIRE(is_news);
    }
    for (auto* name : {"c0", "c5"})
      CAF_REQUIRE(known[name] == online_in(name));
  }
  CAF_CHECK(!known.contains("never-used"));
}

CAF_TEST(changes without a name are missed and not watched ones are nothing) {
  CAF_CHECK(watches.add("c1"));
  user_change x;
  std::vector<vacancy> vacated;
  std::vector<watched_change> changes;
  std::vector<std::string> missed;
  auto apply = [&](user_change::kind what) {
    x.what = what;
    watches.before(table, presence_shard_id{0}, x);
    table.apply(presence_shard_id{0}, x, vacated);
    watches.after(table, presence_shard_id{0}, x);
    watches.take(changes, missed);
  };
  x.channels.push_back("c1");
  apply(user_change::kind::set_channels);
  CAF_CHECK(missed.empty());
  apply(user_change::kind::add_instance);
  CAF_CHECK(changes.empty());
  CAF_CHECK_EQUAL(missed, std::vector<std::string>{"c1"});
  watches.remove("c1");
  CAF_CHECK(watches.empty());
  missed.clear();
  apply(user_change::kind::remove_instance);
  CAF_CHECK(missed.empty());
}

CAF_TEST(there are as many watched channels as allowed) {
  for (size_t i = 0; i < limits::watched_channels_max; ++i)
    CAF_CHECK(watches.add("c" + std::to_string(i)));
  CAF_CHECK(!watches.add("one-more"));
  CAF_CHECK(watches.add("c0"));
}

CAF_TEST_FIXTURE_SCOPE_END()
