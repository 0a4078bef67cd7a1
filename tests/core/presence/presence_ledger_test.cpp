// SPDX-License-Identifier: MIT
#define CAF_SUITE core.presence.presence_ledger

#include "core/hash.hpp"
#include "core/presence/presence_ledger.hpp"
#include "tests/core/presence/random_log.hpp"
#include "tests/core/presence/routing_model.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <random>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

using kind = user_change::kind;

constexpr uint16_t shards = 4;
constexpr time_point start{1h};

/// A channel of shard `n`.
std::string channel_in(uint16_t n, int which = 0) {
  for (int i = 0;; ++i)
    if (auto name = "ch-" + std::to_string(i);
        shard_of(name, shards).value == n && which-- == 0)
      return name;
}

/// A ledger, its log, and the routing shards behind it.
struct world {
  instance_directory instances;
  presence_ledger ledger{{shards, 120s, 5s, start}, instances};
  routing_model routing;
  std::vector<presence_record> log;
  /// Changes of the last record.
  std::vector<routed_change> changes;
  time_point now = start;

  presence_outcome play(presence_record record) {
    changes.clear();
    auto result = ledger.apply(record, now, changes);
    for (auto& x : changes) {
      CAF_REQUIRE_EQUAL(routing.apply(record.user, x), std::string{});
      CAF_REQUIRE_EQUAL(x.change.stored_at_ns, record.stored_at_ns);
      CAF_REQUIRE((result.shards >> x.to.value & 1) == 1);
    }
    if (auto problem = ledger.check_invariants())
      CAF_FAIL(*problem);
    log.push_back(std::move(record));
    return result;
  }

  presence_outcome write(std::string user, presence_update update) {
    auto version = log_position{ledger.applied().value + 1};
    return play({version, static_cast<int64_t>(version.value) * 1000,
                 std::move(user), std::move(update)});
  }

  std::vector<expired_session> tick(duration passed) {
    now += passed;
    std::vector<expired_session> result;
    ledger.tick(now, result);
    return result;
  }

  std::vector<kind> kinds() const {
    std::vector<kind> result;
    for (auto& x : changes)
      result.push_back(x.change.what);
    return result;
  }
};

bool equal(const std::vector<routed_change>& a,
           const std::vector<routed_change>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](auto& x, auto& y) { return x.to == y.to && x.change == y.change; });
}

} // namespace

CAF_TEST(the_first_session_on_an_instance_is_told_and_the_next_is_not) {
  world w;
  auto first = w.write("u", with(make(presence_op::online, "s1", "a"),
                                 {channel_in(1), channel_in(3)}));
  CAF_CHECK_EQUAL(first.shards, 0b1010u);
  CAF_CHECK((w.kinds()
             == std::vector{kind::set_channels, kind::add_instance,
                            kind::set_channels, kind::add_instance}));
  auto second = w.write("u", make(presence_op::online, "s2", "a"));
  CAF_CHECK_EQUAL(second.shards, 0b1010u);
  CAF_CHECK(w.changes.empty());
  w.write("u", make(presence_op::offline, "s1"));
  CAF_CHECK(w.changes.empty());
  w.write("u", make(presence_op::offline, "s2"));
  CAF_CHECK(
      (w.kinds() == std::vector{kind::remove_instance, kind::remove_instance}));
}

CAF_TEST(a_session_that_appears_elsewhere_moves_and_is_added_first) {
  world w;
  w.write("u", with(make(presence_op::online, "s1", "a"), {channel_in(0)}));
  w.write("u", make(presence_op::online, "s1", "b"));
  CAF_CHECK(
      (w.kinds() == std::vector{kind::add_instance, kind::remove_instance}));
  CAF_CHECK(w.ledger.find("u")->sessions.size() == 1);
  CAF_CHECK(
      (w.ledger.stats().sessions_by_instance == std::vector<uint32_t>{0, 1}));
}

CAF_TEST(a_shard_new_to_a_user_hears_of_all_instances) {
  world w;
  w.write("u", make(presence_op::online, "s1", "a"));
  w.write("u", make(presence_op::online, "s2", "b"));
  CAF_CHECK(w.changes.empty());
  auto joined = w.write("u", with(make(presence_op::join), {channel_in(2)}));
  CAF_CHECK_EQUAL(joined.shards, 0b100u);
  CAF_CHECK((w.kinds()
             == std::vector{kind::join_channels, kind::add_instance,
                            kind::add_instance}));
}

CAF_TEST(a_shard_a_set_leaves_out_forgets_the_user) {
  world w;
  w.write("u", with(make(presence_op::online, "s1", "a"), {channel_in(2)}));
  auto set = w.write("u", with(make(presence_op::set), {channel_in(1)}));
  CAF_CHECK_EQUAL(set.shards, 0b110u);
  CAF_CHECK(w.ledger.find("u")->shards == 0b010);
  CAF_CHECK(w.routing.of(shard_id{2}, "u") == routing_model::known_user{});
  w.write("u", make(presence_op::offline, "s1"));
  CAF_CHECK_EQUAL(w.changes.size(), 1u);
}

CAF_TEST(membership_outlives_sessions_and_an_empty_set_ends_it) {
  world w;
  w.write("u", with(make(presence_op::online, "s1", "a"), {channel_in(2)}));
  w.write("u", make(presence_op::offline, "s1"));
  CAF_CHECK_EQUAL(w.ledger.stats().users_online, 0u);
  CAF_CHECK_EQUAL(w.ledger.stats().users_known, 1u);
  w.write("u", make(presence_op::online, "s2", "b"));
  CAF_CHECK((w.kinds() == std::vector{kind::add_instance}));
  w.write("u", make(presence_op::offline, "s2"));
  w.write("u", with(make(presence_op::set), {}));
  CAF_CHECK_EQUAL(w.ledger.stats().users_known, 0u);
  CAF_CHECK(!w.ledger.find("u"));
}

CAF_TEST(leaving_where_one_never_was_concerns_nobody) {
  world w;
  CAF_CHECK_EQUAL(
      w.write("u", with(make(presence_op::leave), {channel_in(1)})).shards, 0u);
  CAF_CHECK(!w.ledger.find("u"));
  w.write("u", with(make(presence_op::join), {channel_in(1)}));
  auto left = w.write(
      "u", with(make(presence_op::leave), {channel_in(1), channel_in(2)}));
  CAF_CHECK_EQUAL(left.shards, 0b10u);
}

CAF_TEST(refusals_change_nothing_and_say_why) {
  world w;
  CAF_CHECK(w.write("u", make(presence_op::offline, "s1")).reason
            == presence_reject::unknown_session);
  CAF_CHECK(w.write("a b", make(presence_op::online, "s1", "a")).reason
            == presence_reject::illegal_user);
  CAF_CHECK_EQUAL(w.ledger.stats().users_known, 0u);
  for (size_t i = 0; i < limits::sessions_per_user_max; ++i)
    w.write("u", make(presence_op::online, "s" + std::to_string(i), "a"));
  auto refused = w.write("u", make(presence_op::online, "more", "a"));
  CAF_CHECK(refused.reason == presence_reject::too_many_sessions);
  CAF_CHECK(!refused.detail.empty());
  // One of the 64 may still move.
  CAF_CHECK(w.write("u", make(presence_op::online, "s7", "b")).reason
            == presence_reject::none);
  while (w.instances.intern("i" + std::to_string(w.instances.size()))) {
  }
  CAF_CHECK(w.write("v", make(presence_op::online, "s1", "z")).reason
            == presence_reject::too_many_instances);
  CAF_CHECK(!w.ledger.find("v"));
}

CAF_TEST(a_record_comes_into_effect_once) {
  world w;
  w.write("u", with(make(presence_op::online, "s1", "a"), {channel_in(0)}));
  w.write("u", make(presence_op::offline, "s1"));
  for (auto& record : std::vector{w.log[0], w.log[1]}) {
    auto again = w.play(record);
    CAF_CHECK(again.is_repeat);
    CAF_CHECK(w.changes.empty());
  }
  CAF_CHECK(w.ledger.find("u")->sessions.empty());
}

CAF_TEST(a_session_expires_after_its_ttl_and_stays_until_the_log_says_so) {
  world w;
  w.write("u", with(make(presence_op::online, "s1", "a"), {channel_in(0)}));
  CAF_CHECK(w.tick(120s - 1ms).empty());
  auto expired = w.tick(201ms);
  CAF_REQUIRE_EQUAL(expired.size(), 1u);
  CAF_CHECK_EQUAL(expired[0].user, "u");
  CAF_CHECK_EQUAL(expired[0].session, "s1");
  CAF_CHECK(expired[0].version == log_position{1});
  CAF_CHECK_EQUAL(w.ledger.stats().zombies, 1u);
  CAF_CHECK_EQUAL(w.ledger.stats().sessions, 1u);
  // Nobody is told again before the retry interval.
  CAF_CHECK(w.tick(4900ms).empty());
  CAF_CHECK_EQUAL(w.tick(300ms).size(), 1u);
  w.write("u", make(presence_op::expire, "s1"));
  CAF_CHECK_EQUAL(w.ledger.stats().zombies, 0u);
  CAF_CHECK_EQUAL(w.ledger.stats().sessions, 0u);
  CAF_CHECK(w.tick(1h).empty());
}

CAF_TEST(heartbeats_keep_all_sessions_of_their_instance) {
  world w;
  w.write("u", make(presence_op::online, "s1", "a"));
  w.write("v", make(presence_op::online, "s1", "a"));
  w.write("w", make(presence_op::online, "s1", "b"));
  for (int i = 0; i < 30; ++i) {
    w.ledger.heartbeat(*w.instances.find("a"), w.now);
    auto expired = w.tick(10s);
    for (auto& x : expired)
      CAF_CHECK_EQUAL(x.user, "w");
    if (i == 11)
      CAF_CHECK(expired.empty());
    if (i == 12)
      CAF_CHECK_EQUAL(expired.size(), 1u);
  }
  CAF_CHECK_EQUAL(w.tick(200s).size(), 3u);
}

CAF_TEST(a_time_to_live_of_75_s_ends_a_session_after_75_s) {
  instance_directory instances;
  presence_ledger ledger{{shards, 75s, 5s, start}, instances};
  std::vector<routed_change> changes;
  ledger.apply({log_position{1}, 1, "u", make(presence_op::online, "s1", "a")},
               start, changes);
  std::vector<expired_session> over;
  ledger.tick(start + 74900ms, over);
  CAF_CHECK(over.empty());
  ledger.tick(start + 75200ms, over);
  CAF_CHECK_EQUAL(over.size(), 1u);
}

CAF_TEST(the_sessions_of_an_instance_that_left_are_over_at_once) {
  world w;
  w.write("u", make(presence_op::online, "s1", "a"));
  w.write("u", make(presence_op::online, "s2", "b"));
  w.write("v", make(presence_op::online, "s1", "a"));
  auto a = *w.instances.find("a");
  w.ledger.end_sessions(a, w.now);
  // A word of another life does not bring them back.
  w.ledger.heartbeat(a, w.now);
  // A user who has come back already stays.
  w.write("v", make(presence_op::online, "s1", "a"));
  auto over = w.tick(200ms);
  CAF_REQUIRE_EQUAL(over.size(), 1u);
  CAF_CHECK_EQUAL(over[0].user, "u");
  CAF_CHECK_EQUAL(over[0].session, "s1");
  // It is reported until the log says so.
  CAF_CHECK_EQUAL(w.tick(6s).size(), 1u);
  w.write("u", make(presence_op::expire, "s1"));
  CAF_CHECK(w.tick(6s).empty());
  CAF_CHECK_EQUAL(w.ledger.stats().zombies, 0u);
}

CAF_TEST(a_session_that_comes_back_is_no_zombie) {
  world w;
  w.write("u", make(presence_op::online, "s1", "a"));
  CAF_CHECK_EQUAL(w.tick(121s).size(), 1u);
  w.write("u", make(presence_op::online, "s1", "a"));
  CAF_CHECK_EQUAL(w.ledger.stats().zombies, 0u);
  CAF_CHECK(w.tick(119s).empty());
  CAF_CHECK_EQUAL(w.tick(2s).size(), 1u);
}

CAF_TEST(a_skipped_record_counts_as_the_newest_of_its_user) {
  world w;
  w.write("u", make(presence_op::online, "s1", "a"));
  w.ledger.skip("u", log_position{9});
  w.ledger.skip("nobody", log_position{10});
  CAF_CHECK(w.ledger.applied() == log_position{10});
  auto expired = w.tick(121s);
  CAF_REQUIRE_EQUAL(expired.size(), 1u);
  CAF_CHECK(expired[0].version == log_position{9});
}

namespace {

void check_user(const world& w, const std::string& name,
                const model_user& truth) {
  std::set<instance_index> instances;
  std::map<std::string, std::string> sessions;
  if (auto state = w.ledger.find(name))
    for (auto& [session, instance] : state->sessions) {
      sessions.emplace(session, w.instances.name_of(instance));
      instances.insert(instance);
    }
  CAF_REQUIRE(sessions == truth.sessions);
  for (uint16_t n = 0; n < shards; ++n) {
    std::set<std::string> here;
    for (auto& channel : truth.channels)
      if (shard_of(channel, shards).value == n)
        here.insert(channel);
    auto known = w.routing.of(shard_id{n}, name);
    CAF_REQUIRE(known.channels == here);
    // A shard that knows no channels may or may not know the instances.
    if (!here.empty())
      CAF_REQUIRE(known.instances == instances);
    else
      CAF_REQUIRE(known.instances.empty() || known.instances == instances);
  }
}

} // namespace

CAF_TEST(the_shards_know_what_the_log_says) {
  random_log source{test_seed()};
  world w;
  for (int step = 0; step < 20'000; ++step) {
    auto [user, update] = source.next();
    auto accepted = source.apply(user, update);
    w.now += std::chrono::milliseconds{source.random() % 50};
    auto outcome = w.write(user, update);
    CAF_REQUIRE_EQUAL(outcome.reason == presence_reject::none, accepted);
    check_user(w, user, source.users[user]);
  }
  for (auto& [name, truth] : source.users)
    check_user(w, name, truth);
}

CAF_TEST(replaying_the_log_gives_the_same_changes_and_state) {
  random_log source{test_seed()};
  world first;
  std::vector<std::vector<routed_change>> told;
  for (int step = 0; step < 5'000; ++step) {
    auto [user, update] = source.next();
    first.now += 1s;
    first.write(user, update);
    first.tick(1s);
    told.push_back(first.changes);
  }
  world second;
  second.now = start + 1000h;
  for (size_t i = 0; i < first.log.size(); ++i) {
    second.play(first.log[i]);
    CAF_REQUIRE(equal(second.changes, told[i]));
  }
  for (auto& [name, truth] : source.users) {
    auto a = first.ledger.find(name), b = second.ledger.find(name);
    CAF_REQUIRE_EQUAL(a.has_value(), b.has_value());
    if (a)
      CAF_REQUIRE(a->version == b->version && a->shards == b->shards
                  && a->sessions == b->sessions);
  }
}

CAF_TEST(exactly_the_sessions_nobody_renewed_are_reported) {
  random_log source{test_seed()};
  auto& random = source.random;
  world w;
  struct life {
    time_point online;
    time_point reported{};
  };
  std::map<std::pair<std::string, std::string>, life> lives;
  std::map<std::string, time_point> heartbeats;
  size_t reports = 0;
  for (int step = 0; step < 20'000; ++step) {
    w.now += std::chrono::milliseconds{random() % 3000};
    auto [user, update] = source.next();
    if (source.apply(user, update) && update.op == presence_op::online)
      lives[{user, update.session}] = {w.now};
    w.write(user, update);
    if (random() % 8 == 0) {
      auto instance = source.pick("i", 2);
      if (auto index = w.instances.find(instance)) {
        w.ledger.heartbeat(*index, w.now);
        heartbeats[instance] = w.now;
      }
    }
    auto newest = [&](const std::string& name, const std::string& session) {
      auto& instance = source.users[name].sessions.at(session);
      return std::max(lives.at({name, session}).online, heartbeats[instance]);
    };
    std::vector<expired_session> expired;
    w.ledger.tick(w.now, expired);
    for (auto& x : expired) {
      auto& life = lives.at({x.user, x.session});
      CAF_REQUIRE(newest(x.user, x.session) + 120s <= w.now);
      CAF_REQUIRE(life.reported == time_point{} || w.now - life.reported >= 5s);
      life.reported = w.now;
      ++reports;
    }
    // Nobody is overlooked.
    for (auto& [name, truth] : source.users)
      for (auto& [session, instance] : truth.sessions)
        if (newest(name, session) + 120s + 200ms <= w.now)
          CAF_REQUIRE(w.now - lives.at({name, session}).reported <= 8200ms);
    // Some reports reach the log, some are lost.
    for (auto& x : expired)
      if (random() % 2 == 0) {
        auto update = make(presence_op::expire, x.session);
        CAF_REQUIRE(source.apply(x.user, update));
        CAF_REQUIRE(w.write(x.user, update).reason == presence_reject::none);
      }
  }
  CAF_CHECK(reports > 100);
}

CAF_TEST(an_online_user_costs_less_than_100_bytes) {
  instance_directory instances;
  presence_ledger ledger{{shards, 120s, 5s, start}, instances};
  std::vector<routed_change> out;
  // What one of 8 presence shards holds at the stress scale.
  constexpr uint32_t users = 62'500;
  for (uint32_t i = 0; i < users; ++i) {
    presence_record record;
    record.version = log_position{i + 1};
    record.user = "usr_" + std::to_string(10'000'000 + i);
    record.update
        = make(presence_op::online, "s1", "notif-" + std::to_string(i % 100));
    ledger.apply(record, start, out);
  }
  auto stats = ledger.stats();
  CAF_CHECK_EQUAL(stats.users_online, users);
  CAF_MESSAGE("bytes per user: " << stats.bytes / users);
  CAF_CHECK(stats.bytes < 100 * users);
}

CAF_TEST(who_is_evicted_costs_no_row_and_keeps_the_shards) {
  world w;
  w.write("u", with(make(presence_op::online, "s1", "a"),
                    {channel_in(1), channel_in(2)}));
  // Who is online stays.
  CAF_CHECK(!w.write("u", make(presence_op::evict)).shards);
  CAF_CHECK(w.changes.empty());
  w.write("u", make(presence_op::offline, "s1"));
  auto evicted = w.write("u", make(presence_op::evict));
  CAF_CHECK(evicted.is_known);
  CAF_CHECK(!evicted.is_resident);
  CAF_CHECK((w.kinds() == std::vector{kind::set_channels, kind::set_channels}));
  for (auto& x : w.changes)
    CAF_CHECK(x.change.channels.empty());
  CAF_CHECK_EQUAL(w.ledger.stats().users_evicted, 1u);
  CAF_CHECK(w.ledger.find("u")->shards == 0b110);
  CAF_CHECK(w.write("u", make(presence_op::evict)).shards == 0);
  // One that says which channels needs nothing restored.
  auto set = with(make(presence_op::set), {channel_in(1)});
  CAF_CHECK(!w.ledger.lacks_rows({log_position{99}, 0, "u", set}));
  w.write("u", set);
  CAF_CHECK_EQUAL(w.ledger.stats().users_evicted, 0u);
  CAF_CHECK(w.ledger.find("u")->shards == 0b010);
}

CAF_TEST(the_rows_of_an_evicted_user_come_back_where_they_were) {
  world w;
  channel_list channels;
  channels.push_back(channel_in(1));
  w.write("u", with(make(presence_op::set), {channel_in(1)}));
  w.write("u", make(presence_op::evict));
  presence_record online{log_position{3}, 3, "u",
                         make(presence_op::online, "s1", "a")};
  auto user = w.ledger.lacks_rows(online);
  CAF_REQUIRE(user);
  // The store may know more than the log has told so far.
  channels.push_back(channel_in(3));
  std::vector<routed_change> told;
  w.ledger.restore(*user, channels, online, told);
  CAF_REQUIRE_EQUAL(told.size(), 1u);
  CAF_CHECK(told[0].to == shard_id{1});
  CAF_CHECK(!w.ledger.lacks_rows(online));
  CAF_CHECK(!w.ledger.check_invariants());
  for (auto& x : told)
    w.routing.apply("u", x);
  w.play(online);
  CAF_CHECK((w.kinds() == std::vector{kind::add_instance}));
  CAF_CHECK(w.ledger.find("u")->shards == 0b010);
}

CAF_TEST(a_shard_that_lost_everything_is_told_it_anew) {
  random_log source{test_seed()};
  world w;
  for (int step = 0; step < 2'000; ++step) {
    auto [user, update] = source.next();
    source.apply(user, update);
    w.write(user, update);
  }
  w.write("gone", with(make(presence_op::set), {channel_in(2)}));
  w.write("gone", make(presence_op::evict));
  constexpr uint64_t lost = 0b0101;
  auto told = w.routing;
  w.routing = {};
  std::vector<routed_change> changes;
  w.ledger.for_each_known(lost, [&](user_handle user) {
    auto name = std::string{w.ledger.version_of(user).name};
    CAF_REQUIRE(name != "gone");
    channel_list channels;
    for (auto& channel : source.users[name].channels)
      channels.push_back(channel);
    changes.clear();
    w.ledger.tell_anew(user, channels, lost, changes);
    for (auto& x : changes) {
      CAF_REQUIRE((lost >> x.to.value & 1) == 1);
      CAF_REQUIRE(x.change.version == log_position{});
      CAF_REQUIRE_EQUAL(w.routing.apply(name, x), std::string{});
    }
  });
  for (auto& [name, truth] : source.users)
    for (uint16_t n : {0, 2})
      CAF_REQUIRE(w.routing.of(shard_id{n}, name)
                  == told.of(shard_id{n}, name));
  if (auto problem = w.ledger.check_invariants())
    CAF_FAIL(*problem);
}
