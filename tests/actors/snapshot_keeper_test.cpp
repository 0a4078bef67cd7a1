// SPDX-License-Identifier: MIT
#define CAF_SUITE actors.snapshot_keeper

#include "actors/node_guard.hpp"
#include "actors/presence_shard.hpp"
#include "actors/puller.hpp"
#include "actors/routing_shard.hpp"
#include "actors/snapshot_keeper.hpp"
#include "core/snapshot/instance_names.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/actors/memory_members.hpp"
#include "tests/core/snapshot/part_stream.hpp"

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

constexpr snapshot_source of_presence{snapshot_source::kind::presence, 0};
constexpr snapshot_source of_routing{snapshot_source::kind::routing, 0};

/// Streams in memory; answers when it is told to.
struct memory_store final : snapshot_store_port {
  std::map<snapshot_source, part_stream> streams;
  std::map<presence_shard_id, position> trimmed;
  std::vector<std::function<void()>> answers;
  bool is_full = false;

  void append(snapshot_source to, std::string part,
              std::function<void(uint64_t)> handler) override {
    auto sequence = is_full ? 0 : streams[to].append(std::move(part));
    answers.push_back([handler, sequence] { handler(sequence); });
  }
  void trim(snapshot_source of, uint64_t first_kept) override {
    streams[of].trim(first_kept);
  }
  void trim_log(presence_shard_id shard, position up_to) override {
    trimmed[shard] = up_to;
  }
};

struct fixture : actor_fixture {
  scripted_log presence_log;
  memory_store store;
  memory_members members;
  routing_shard_actor shard;
  presence_shard_actor presence;
  puller_actor updates;
  snapshot_keeper_actor tested;
  uint64_t presence_to = 0;

  fixture() {
    node_guard_deps guard_deps;
    guard_deps.env = env;
    routing_shard_deps routing_deps;
    routing_deps.env = env;
    routing_deps.presence_shards = 1;
    routing_deps.guard = adopt(sys.spawn(node_guard, guard_deps));
    shard = adopt(sys.spawn(routing_shard, routing_deps));
    presence_shard_deps presence_deps;
    presence_deps.env = env;
    presence_deps.ledger.shards = 1;
    presence_deps.ledger.started = clock.now();
    presence_deps.members = &members;
    presence_deps.routing = {shard};
    presence = adopt(sys.spawn(presence_shard, presence_deps));
    puller_deps log_deps;
    log_deps.env = env;
    log_deps.reader = &presence_log;
    log_deps.sink = presence;
    updates = adopt(sys.spawn(puller, log_deps));
    caf::anon_send(updates, start_pulling{position{0}, {}});
    run();
    presence_log.opened(1, 0);
    run();
    snapshot_keeper_deps deps;
    deps.env = env;
    deps.store = &store;
    deps.rounds.shards = 1;
    deps.rounds.presence_shards = 1;
    deps.rounds.records = 10;
    deps.presence = {presence};
    deps.routing = {shard};
    tested = adopt(sys.spawn(snapshot_keeper, deps));
    run();
  }

  ~fixture() override {
    presence_log.close();
    store.answers.clear();
  }

  /// `count` more users come online.
  void grow(int count) {
    for (; count > 0; --count) {
      auto user = "u" + std::to_string(++presence_to);
      presence_log.to.on_pull(
          presence_log.attempt,
          record(0, presence_to, user,
                 R"({"op":"online","session":"s","instance":"n0",)"
                 R"("channels":["general"]})"));
    }
    run();
  }

  /// Lets time pass, and the store answer everything.
  void work(duration time = 10s) {
    for (auto until = clock.now() + time; clock.now() < until;) {
      pass(500ms);
      while (!store.answers.empty()) {
        for (auto& answer : std::exchange(store.answers, {}))
          answer();
        run();
      }
    }
  }

  std::vector<stored_snapshot> snapshots(snapshot_source of) {
    return store.streams[of].search(of).found();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(snapshot_keeper_tests, fixture)

CAF_TEST(nothing_is_written_before_the_log_has_grown) {
  grow(9);
  work();
  CAF_CHECK(store.streams.empty());
  grow(1);
  work();
  CAF_CHECK_EQUAL(snapshots(of_presence).size(), 1u);
  CAF_CHECK_EQUAL(snapshots(of_routing).size(), 1u);
  CAF_CHECK_EQUAL(counts.snapshots.written.get(), 2u);
  CAF_CHECK_EQUAL(counts.snapshots.records_behind.get(), 0u);
  // All is written down, so there is no reason for another round.
  work(1h);
  CAF_CHECK_EQUAL(counts.snapshots.written.get(), 2u);
}

CAF_TEST(a_small_growth_is_written_after_the_interval) {
  grow(1);
  work(9min);
  CAF_CHECK(store.streams.empty());
  work(2min);
  CAF_CHECK_EQUAL(counts.snapshots.written.get(), 2u);
}

CAF_TEST(what_was_written_holds_the_state_and_its_position) {
  grow(12);
  work();
  auto found = snapshots(of_routing);
  CAF_REQUIRE(!found.empty());
  CAF_CHECK(found[0].about.log_of(presence_shard_id{0}).up_to
            == log_position{12});
  auto parts = store.streams[of_routing].read(found[0]);
  auto in = parts.image();
  instance_directory names;
  auto numbers = load_instances(in, names);
  shard_router router{shard_id{0}};
  router.load(in, numbers);
  CAF_CHECK_EQUAL(in.problem(), "");
  CAF_CHECK_EQUAL(router.route_of("general").members, 12u);
  CAF_CHECK_EQUAL(names.name_of(instance_index{0}), "n0");
}

CAF_TEST(the_log_is_trimmed_behind_two_snapshots_of_everybody) {
  grow(10);
  work();
  CAF_CHECK(store.trimmed.empty());
  grow(10);
  work();
  CAF_CHECK(store.trimmed[presence_shard_id{0}] == position{10});
  grow(10);
  work();
  CAF_CHECK(store.trimmed[presence_shard_id{0}] == position{20});
  CAF_CHECK_EQUAL(snapshots(of_routing).size(), 2u);
  CAF_CHECK_EQUAL(snapshots(of_presence).size(), 2u);
}

CAF_TEST(a_session_whose_record_was_trimmed_can_still_expire) {
  for (int round = 0; round < 3; ++round) {
    grow(10);
    work();
  }
  CAF_REQUIRE(store.trimmed[presence_shard_id{0}] == position{20});
  work(130s);
  // The server knows a newest record of those behind the trimmed ones only.
  size_t trimmed = 0, kept = 0;
  for (auto& x : control.records) {
    trimmed += x.newest == 0;
    kept += x.newest > 20;
  }
  CAF_CHECK(trimmed >= 20 && kept >= 10);
  CAF_CHECK_EQUAL(trimmed + kept, control.records.size());
}

CAF_TEST(a_part_that_is_not_stored_ends_the_attempt_and_it_is_repeated) {
  store.is_full = true;
  grow(10);
  work(2s);
  CAF_CHECK(reports.has("snapshot-not-written"));
  CAF_CHECK(counts.snapshots.failed.get() > 0);
  CAF_CHECK(snapshots(of_presence).empty());
  store.is_full = false;
  work();
  CAF_CHECK_EQUAL(snapshots(of_presence).size(), 1u);
  CAF_CHECK_EQUAL(snapshots(of_routing).size(), 1u);
}

CAF_TEST(an_answer_to_an_attempt_given_up_is_ignored) {
  grow(10);
  pass(1s);
  pass(1s);
  CAF_REQUIRE(!store.answers.empty());
  auto late = std::exchange(store.answers, {});
  caf::anon_send(tested, part_stored{0, 0});
  run();
  for (auto& answer : late)
    answer();
  run();
  work();
  CAF_CHECK_EQUAL(snapshots(of_presence).size(), 1u);
  CAF_CHECK_EQUAL(snapshots(of_routing).size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
