// SPDX-License-Identifier: MIT
#define CAF_SUITE core.membership.membership

#include "core/hash.hpp"
#include "core/membership/member_record.hpp"
#include "core/membership/membership.hpp"
#include "tests/core/presence/random_log.hpp"
#include "tests/core/presence/routing_model.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <random>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

constexpr uint16_t shards = 4;
constexpr time_point start{1h};

/// A members store that answers when it likes, and loses answers.
struct fake_store {
  std::map<uint64_t, std::string> records;
  uint64_t last = 0;
  size_t bytes = 0;
  size_t bytes_max = 0;

  uint64_t append(const std::string& record) {
    records[++last] = record;
    bytes += record.size();
    bytes_max = std::max(bytes_max, bytes);
    return last;
  }

  void purge(uint64_t before) {
    while (!records.empty() && records.begin()->first < before) {
      bytes -= records.begin()->second.size();
      records.erase(records.begin());
    }
  }
};

/// What lives and dies with a node: ledger, membership, routing shards.
struct life {
  instance_directory instances;
  presence_ledger ledger{{shards, 120s, 5s, start}, instances};
  membership members;
  routing_model routing;
  std::vector<uint64_t> reads;
  std::vector<member_work::append> appends;

  explicit life(const membership_config& config) : members(config) {}
};

/// A presence shard without actors: a log, a store, and somebody who kills.
struct world {
  std::mt19937_64 random;
  membership_config config;
  std::vector<presence_record> log;
  /// By user: its newest record.
  std::map<std::string, log_position> newest;
  fake_store store;
  std::optional<life> now_in;
  /// The state at some point of the log, written down.
  struct snapshot {
    std::string bytes;
    std::vector<std::string> instances;
    routing_model routing;
    size_t log_size = 0;
  };
  std::optional<snapshot> written;
  time_point now = start;
  size_t restored = 0;
  size_t moved = 0;
  bool loses_evictions = true;

  explicit world(uint64_t seed) : random(seed) {
    config.cache_memberships_max = 12;
    config.changes_bytes_max = 1'500;
    config.slack_bytes = 100;
    config.purge_bytes = 50;
    config.started = start;
    begin();
  }

  life& x() { return *now_in; }

  /// Begins from the snapshot, if there is one, and what is behind it in the
  /// store and in the log.
  void begin() {
    now_in.emplace(config);
    if (written)
      load();
    for (auto i = store.records.upper_bound(x().members.newest_record());
         i != store.records.end(); ++i) {
      auto header = member_record::read_header(i->second);
      CAF_REQUIRE(header);
      std::string user{header->user};
      x().members.found({i->first, static_cast<uint32_t>(i->second.size()),
                         user, header->version, header->digest},
                        x().ledger.handle_of(user));
    }
    for (auto i = written ? written->log_size : 0; i < log.size(); ++i)
      apply(log[i]);
    x().members.replayed();
    // Whether an eviction reached the log is not known any more.
    settle();
  }

  void save() {
    byte_writer out;
    x().ledger.save(out);
    x().members.save(out);
    written.emplace();
    for (auto& part : out.take())
      written->bytes += part;
    for (uint16_t i = 0; i < x().instances.size(); ++i)
      written->instances.emplace_back(x().instances.name_of(instance_index{i}));
    written->routing = x().routing;
    written->log_size = log.size();
  }

  void load() {
    byte_reader in{written->bytes};
    std::vector<instance_index> numbers;
    for (auto& name : written->instances)
      numbers.push_back(*x().instances.intern(name));
    x().ledger.load(in, numbers, now);
    x().members.load(in, x().ledger);
    CAF_REQUIRE(in.expect_end());
    x().routing = written->routing;
    check();
  }

  void crash() {
    moved += x().members.stats().moves;
    // What was on its way arrives, or does not.
    for (auto& append : x().appends)
      if (random() % 2 == 0)
        store.append(*append.record);
    begin();
  }

  presence_outcome write(const std::string& user, presence_update update) {
    auto version = log_position{log.size() + 1};
    log.push_back({version, static_cast<int64_t>(version.value), user,
                   std::move(update)});
    newest[user] = version;
    return apply(log.back());
  }

  membership::list list_of(user_handle user) {
    auto result = x().members.list_of(user);
    for (int i = 0; !result && i < 1'000; ++i) {
      serve();
      result = x().members.list_of(user);
    }
    CAF_REQUIRE(result);
    return std::move(*result);
  }

  presence_outcome apply(const presence_record& record) {
    std::vector<routed_change> changes;
    if (auto user = x().ledger.lacks_rows(record)) {
      auto list = list_of(*user);
      CAF_REQUIRE(!list.is_lost);
      x().ledger.restore(*user, list.channels, record, changes);
      x().members.restored();
      ++restored;
    }
    auto outcome = x().ledger.apply(record, now, changes);
    for (auto& change : changes)
      CAF_REQUIRE_EQUAL(x().routing.apply(record.user, change), std::string{});
    if (outcome.reason == presence_reject::none)
      x().members.follow(record, outcome);
    return outcome;
  }

  /// Somebody else appends to the log, too.
  void work() {
    for (auto user : serve())
      if (!loses_evictions || random() % 4 != 0)
        evict(user);
  }

  /// The store does some of what it was asked to, or fails. Returns whom the
  /// membership wants to be evicted.
  std::vector<user_handle> serve() {
    now += 50ms;
    member_work todo;
    x().members.take_work(now, todo);
    std::ranges::copy(todo.reads, std::back_inserter(x().reads));
    std::ranges::copy(todo.appends, std::back_inserter(x().appends));
    store.purge(todo.purge_before);
    serve_reads();
    serve_appends();
    return todo.evict;
  }

  void serve_reads() {
    std::ranges::shuffle(x().reads, random);
    for (auto left = random() % (x().reads.size() + 1); left > 0; --left) {
      auto sequence = x().reads.back();
      x().reads.pop_back();
      using result = member_read_result;
      auto found = store.records.find(sequence);
      if (random() % 8 == 0)
        x().members.was_read(sequence, result::unanswered, {}, now);
      else if (found == store.records.end())
        x().members.was_read(sequence, result::missing, {}, now);
      else
        x().members.was_read(sequence, result::found, found->second, now);
    }
  }

  void serve_appends() {
    auto count = random() % (x().appends.size() + 1);
    for (size_t i = 0; i < count; ++i) {
      auto& append = x().appends[i];
      auto what = random() % 8;
      // Stored, and sometimes nobody hears of it.
      auto sequence = what == 0 ? 0 : store.append(*append.record);
      x().members.appended(append.ticket, what == 1 ? 0 : sequence, now);
    }
    x().appends.erase(x().appends.begin(),
                      x().appends.begin() + static_cast<std::ptrdiff_t>(count));
  }

  /// The log takes the record only behind the user's newest one.
  void evict(user_handle user) {
    for (auto& [name, version] : newest)
      if (auto known = x().ledger.find(name);
          known && known->handle == user && known->version == version) {
        write(name, make(presence_op::evict));
        return;
      }
  }

  /// The user is offline from now on.
  void log_off(random_log& source, const std::string& user) {
    auto sessions = source.users[user].sessions;
    for (auto& [session, instance] : sessions) {
      auto update = make(presence_op::offline, session);
      source.apply(user, update);
      write(user, update);
    }
  }

  void settle() {
    for (int i = 0; i < 300; ++i)
      work();
  }

  void check() {
    if (auto problem = x().members.check_invariants())
      CAF_FAIL(*problem);
    if (auto problem = x().ledger.check_invariants())
      CAF_FAIL(*problem);
  }

  void check_user(const std::string& name, const model_user& truth) {
    auto state = x().ledger.find(name);
    auto is_evicted = state && state->is_evicted;
    for (uint16_t n = 0; n < shards; ++n) {
      std::set<std::string> here;
      for (auto& channel : truth.channels)
        if (shard_of(channel, shards).value == n)
          here.insert(channel);
      auto known = x().routing.of(shard_id{n}, name);
      CAF_REQUIRE(known.channels
                  == (is_evicted ? std::set<std::string>{} : here));
    }
    if (!state || state->shards == 0)
      return;
    auto list = list_of(state->handle);
    CAF_REQUIRE(
        (std::set<std::string>{list.channels.begin(), list.channels.end()})
        == truth.channels);
  }
};

} // namespace

CAF_TEST(every list is exact whatever is evicted or killed) {
  random_log source{test_seed()};
  world w{source.random()};
  for (int step = 0; step < 6'000; ++step) {
    auto [user, update] = source.next();
    source.apply(user, update);
    w.write(user, update);
    if (source.random() % 4 == 0)
      w.log_off(source, user);
    if (source.random() % 3 == 0)
      w.work();
    if (step % 50 == 0)
      w.check();
    if (source.random() % 100 == 0)
      w.save();
    if (source.random() % 300 == 0)
      w.crash();
    if (source.random() % 1'000 == 0)
      w.written.reset();
    if (source.random() % 20 == 0)
      w.check_user(user, source.users[user]);
  }
  w.loses_evictions = false;
  w.settle();
  w.check();
  for (auto& [name, truth] : source.users)
    w.check_user(name, truth);
  auto stats = w.x().members.stats();
  CAF_CHECK_EQUAL(stats.lost, 0u);
  CAF_CHECK_LESS_OR_EQUAL(stats.cache.memberships, 12u);
  CAF_MESSAGE("restored " << w.restored << ", moved " << w.moved
                          << ", live bytes " << stats.live_bytes << ", at most "
                          << w.store.bytes_max);
  CAF_CHECK(w.restored > 200);
  CAF_CHECK(w.moved > 50);
}

CAF_TEST(what is loaded is checked) {
  random_log source{test_seed()};
  world w{source.random()};
  for (int step = 0; step < 500; ++step) {
    auto [user, update] = source.next();
    w.write(user, update);
    w.work();
  }
  w.save();
  auto& bytes = w.written->bytes;
  std::vector<instance_index> numbers;
  for (auto& name : w.written->instances)
    numbers.push_back(*w.x().instances.find(name));
  auto load = [&](const std::string& from) {
    life fresh{w.config};
    byte_reader in{from};
    fresh.ledger.load(in, numbers, w.now);
    if (in.ok())
      fresh.members.load(in, fresh.ledger);
    if (in.expect_end() && !fresh.ledger.check_invariants())
      CAF_CHECK(!fresh.members.check_invariants());
    return in.ok();
  };
  CAF_CHECK(load(bytes));
  for (int i = 0; i < 2'000; ++i) {
    auto damaged = bytes;
    damaged[source.random() % damaged.size()]
        ^= static_cast<char>(1 + source.random() % 255);
    load(damaged);
    CAF_CHECK(!load(bytes.substr(0, source.random() % bytes.size())));
  }
}

CAF_TEST(a list that is set to what it was is not written) {
  world w{test_seed()};
  w.config.changes_bytes_max = 0;
  w.begin();
  auto online = [&](int session, std::vector<std::string> channels) {
    w.write("u",
            with(make(presence_op::online, "s" + std::to_string(session), "i"),
                 channels));
    w.settle();
  };
  online(1, {"a", "b"});
  CAF_CHECK_EQUAL(w.x().members.stats().appends, 1u);
  online(2, {"b", "a"});
  CAF_CHECK_EQUAL(w.x().members.stats().appends, 1u);
  online(3, {"a"});
  CAF_CHECK_EQUAL(w.x().members.stats().appends, 2u);
  w.crash();
  online(4, {"a"});
  CAF_CHECK_EQUAL(w.x().members.stats().appends, 0u);
}

CAF_TEST(lists are written late and in few records) {
  world w{test_seed()};
  w.config.changes_bytes_max = 100'000;
  w.begin();
  for (int i = 0; i < 2'000; ++i)
    w.write("u" + std::to_string(i % 10),
            with(make(presence_op::join), {"c" + std::to_string(i)}));
  w.settle();
  CAF_CHECK_EQUAL(w.x().members.stats().appends, 0u);
  CAF_CHECK_EQUAL(w.x().members.stats().dirty_users, 10u);
  CAF_CHECK(!w.x().members.is_full());
}

CAF_TEST(the store stays small however fast lists are written) {
  world w{test_seed()};
  w.config.changes_bytes_max = 1024 * 1024;
  w.config.slack_bytes = 256 * 1024;
  w.config.purge_bytes = 64 * 1024;
  w.begin();
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) {
    std::string name;
    while (name.size() < 100)
      name += std::to_string(w.random());
    names.push_back(name.substr(0, 100));
  }
  uint64_t written = 0;
  for (int i = 0; i < 16'000; ++i) {
    names.back() = "changed_" + std::to_string(i);
    w.write("u" + std::to_string(w.random() % 512),
            with(make(presence_op::set), names));
    // There is always something to be written, and no time passes.
    while (w.x().members.is_full()) {
      member_work todo;
      w.x().members.take_work(start, todo);
      w.store.purge(todo.purge_before);
      for (auto sequence : todo.reads)
        w.x().members.was_read(sequence, member_read_result::found,
                               w.store.records.at(sequence), start);
      for (auto& append : todo.appends) {
        written += append.record->size();
        w.x().members.appended(append.ticket, w.store.append(*append.record),
                               start);
      }
    }
  }
  auto stats = w.x().members.stats();
  CAF_MESSAGE("written " << written << ", live " << stats.live_bytes
                         << ", at most " << w.store.bytes_max);
  // Much more than is moved without anything being written.
  CAF_CHECK(written > 8 * limits::member_moved_bytes_per_second);
  CAF_CHECK(stats.moves > 0);
  // Besides the bound, what is on its way while the head is cleaned.
  CAF_CHECK_LESS(w.store.bytes_max, 2 * stats.live_bytes + w.config.slack_bytes
                                        + w.config.purge_bytes
                                        + 4 * limits::member_appends_bytes_max);
}

CAF_TEST(a list too large for a record stays in memory and is no burden) {
  world w{test_seed()};
  w.config.changes_bytes_max = 1'000;
  w.begin();
  std::vector<std::string> names;
  for (int part = 0; part < 8; ++part) {
    names.clear();
    for (int i = 0; i < 2'500; ++i) {
      std::string name;
      while (name.size() < 110)
        name += std::to_string(w.random());
      names.push_back(name.substr(0, 128));
    }
    w.write("u", with(make(presence_op::join), names));
  }
  w.settle();
  auto stats = w.x().members.stats();
  CAF_CHECK_EQUAL(stats.oversized_users, 1u);
  CAF_CHECK(!w.x().members.is_full());
  auto user = w.x().ledger.find("u")->handle;
  CAF_CHECK_EQUAL(w.list_of(user).channels.size(), 20'000u);
  w.write("u", with(make(presence_op::set), {"a"}));
  w.write("v", with(make(presence_op::set), names));
  w.settle();
  stats = w.x().members.stats();
  CAF_CHECK_EQUAL(stats.oversized_users, 0u);
  CAF_CHECK_EQUAL(stats.records, 2u);
  w.check();
}

CAF_TEST(a record that is lost is told and does not come back) {
  world w{test_seed()};
  w.config.changes_bytes_max = 0;
  w.begin();
  w.write("u", with(make(presence_op::set), {"a", "b"}));
  w.settle();
  w.write("u", make(presence_op::evict));
  for (auto& [sequence, record] : w.store.records)
    record.back() ^= 1;
  auto user = w.x().ledger.find("u")->handle;
  auto list = w.list_of(user);
  CAF_CHECK(list.is_lost);
  CAF_CHECK(list.channels.empty());
  CAF_CHECK((w.x().members.take_lost() == std::vector{user}));
  CAF_CHECK(w.x().members.take_lost().empty());
  // Sent again, the list is written again.
  w.write("u", with(make(presence_op::set), {"a", "b"}));
  w.settle();
  CAF_CHECK_EQUAL(w.x().members.stats().records, 1u);
  CAF_CHECK_EQUAL(w.list_of(user).channels.size(), 2u);
}

CAF_TEST(a record that was purged because the user was forgotten is not lost) {
  world w{test_seed()};
  w.loses_evictions = false;
  w.config.changes_bytes_max = 0;
  w.config.slack_bytes = 0;
  w.config.purge_bytes = 0;
  w.begin();
  for (auto* user : {"u", "v"})
    w.write(user, with(make(presence_op::set), {"a", "b"}));
  w.settle();
  for (auto* user : {"u", "v"})
    w.write(user, make(presence_op::evict));
  w.save();
  // The record that needs the rows comes before the one that ends them.
  for (auto* user : {"u", "v"})
    w.write(user, with(make(presence_op::join), {"c"}));
  w.write("u", with(make(presence_op::set), {}));
  w.settle();
  w.store.records.erase(w.store.records.begin(),
                        w.store.records.upper_bound(2));
  w.crash();
  CAF_CHECK_EQUAL(w.x().members.stats().lost, 0u);
  CAF_CHECK(!w.x().ledger.find("u"));
  auto list = w.list_of(w.x().ledger.find("v")->handle);
  CAF_CHECK_EQUAL(list.channels.size(), 3u);
  // What the log depends on and nobody has is lost.
  w.store.records.clear();
  w.crash();
  CAF_CHECK_EQUAL(w.x().members.stats().lost, 1u);
}

CAF_TEST(hits and misses are told apart) {
  world w{test_seed()};
  w.config.cache_memberships_max = 3;
  w.begin();
  auto stats = [&] {
    return w.x().members.stats().cache;
  };
  for (auto* user : {"u", "v"}) {
    w.write(user, with(make(presence_op::online, "s", "i"), {"a", "b", "c"}));
    w.write(user, make(presence_op::offline, "s"));
  }
  CAF_CHECK_EQUAL(stats().memberships, 6u);
  // An append or an evict may be lost on its way, and is tried again.
  for (int i = 0; i < 50 && stats().evictions == 0; ++i)
    w.settle();
  CAF_CHECK_EQUAL(stats().evictions, 1u);
  CAF_CHECK_EQUAL(stats().memberships, 3u);
  w.write("v", make(presence_op::online, "s", "i"));
  CAF_CHECK_EQUAL(stats().hits, 1u);
  CAF_CHECK_EQUAL(stats().misses, 0u);
  w.write("u", make(presence_op::online, "s", "i"));
  CAF_CHECK_EQUAL(stats().misses, 1u);
  // One who says it all is neither.
  w.write("u", make(presence_op::offline, "s"));
  w.write("u", with(make(presence_op::online, "s", "i"), {"a"}));
  CAF_CHECK_EQUAL(stats().hits, 1u);
  CAF_CHECK_EQUAL(stats().users, 0u);
  // A replay does not count once more.
  w.crash();
  CAF_CHECK_EQUAL(stats().hits + stats().misses + stats().evictions, 0u);
}
