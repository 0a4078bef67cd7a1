// SPDX-License-Identifier: MIT
#define CAF_SUITE actors.membership

#include "actors/node_guard.hpp"
#include "actors/presence_shard.hpp"
#include "actors/puller.hpp"
#include "actors/routing_shard.hpp"
#include "core/json.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/actors/memory_members.hpp"

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

using words = std::vector<std::string>;

std::string online(const std::string& inbox, const std::string& channels = {}) {
  auto result
      = R"({"op":"online","session":"s1","instance":"n0","reply_to":"_INBOX.)"
        + inbox + "\"";
  return result + (channels.empty() ? "" : ",\"channels\":[" + channels + "]")
         + "}";
}

constexpr auto offline = R"({"op":"offline","session":"s1"})";
constexpr auto evict = R"({"op":"evict"})";

/// One presence shard with its log and its members store, and one routing
/// shard.
struct fixture : actor_fixture {
  memory_members members;
  scripted_log log;
  routing_shard_actor routing;
  presence_shard_actor presence;
  puller_actor updates;
  std::vector<std::pair<std::string, std::string>> records;
  uint64_t cache_memberships = 1'000;

  ~fixture() override { log.close(); }

  /// A node starts, and finds the log and the store as they are.
  void start() {
    node_guard_deps guard;
    guard.env = env;
    guard.shards = 1;
    guard.start_routing = [](shard_id) {
      // Nothing is routed here.
    };
    guard.on_ready = [] {
      // Nobody waits for it.
    };
    routing_shard_deps deps;
    deps.env = env;
    deps.presence_shards = 1;
    deps.guard = adopt(sys.spawn(node_guard, guard));
    routing = adopt(sys.spawn(routing_shard, deps));
    presence_shard_deps shard;
    shard.env = env;
    shard.ledger.shards = 1;
    shard.ledger.started = clock.now();
    shard.membership.cache_memberships_max = cache_memberships;
    shard.membership.changes_bytes_max = 0;
    shard.members = &members;
    shard.routing = {routing};
    presence = adopt(sys.spawn(presence_shard, shard));
    puller_deps reading;
    reading.env = env;
    reading.reader = &log;
    reading.sink = presence;
    updates = adopt(sys.spawn(puller, reading));
    caf::anon_send(updates, start_pulling{position{0}, {}});
    run();
    log.opened(1, records.size());
    send(0);
    run();
  }

  /// Adds records to the log and sends them as one pull.
  void write(std::vector<std::pair<std::string, std::string>> more) {
    auto begin = records.size();
    records.insert(records.end(), more.begin(), more.end());
    send(begin);
    run();
  }

  void send(size_t begin) {
    if (begin == records.size())
      return;
    pull_builder builder{shard_id{0}, position{begin}};
    for (auto i = begin; i < records.size(); ++i)
      builder.add(position{i + 1}, static_cast<int64_t>(i + 1),
                  records[i].first, {}, records[i].second);
    log.to.on_pull(log.attempt, builder.finish(0, 0));
  }

  void answer_members() {
    members.answer_all();
    run();
  }

  words answers() {
    words result;
    for (auto& x : std::exchange(control.answers, {})) {
      auto body = json::parse(x.body);
      result.push_back(
          x.reply_to.substr(x.reply_to.rfind('.') + 1) + " "
          + (body ? body->string_or("reason", body->string_or("status", "?"))
                  : "?"));
    }
    return result;
  }

  /// Memberships in the table.
  uint64_t rows() {
    pass(1s);
    return counts.shard[0].table_memberships.get();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(membership_tests, fixture)

CAF_TEST(who_is_beyond_the_bound_is_evicted_through_the_log) {
  cache_memberships = 1;
  start();
  write({{"u", online("a.1", R"("x","y")")}, {"u", offline}});
  CAF_CHECK_EQUAL(rows(), 2u);
  CAF_REQUIRE_EQUAL(control.records.size(), 1u);
  auto& x = control.records[0];
  CAF_CHECK_EQUAL(x.subject, "fantail.presence.0.u");
  CAF_CHECK_EQUAL(x.newest, 2u);
  CAF_CHECK_EQUAL(x.body, evict);
  // Until the log says so the rows stay; and nobody asks twice at once.
  CAF_CHECK_EQUAL(rows(), 2u);
  CAF_CHECK_EQUAL(control.records.size(), 1u);
  write({{"u", x.body}});
  CAF_CHECK_EQUAL(rows(), 0u);
  CAF_CHECK_EQUAL(counts.presence[0].cache_evictions.get(), 1u);
}

CAF_TEST(a_miss_waits_for_its_list_and_nobody_overtakes_it) {
  start();
  write({{"u", online("a.1", R"("x","y")")}, {"u", offline}, {"u", evict}});
  CAF_CHECK_EQUAL(rows(), 0u);
  answers();
  members.answers_at_once = false;
  write({{"u", online("a.2")}, {"v", online("a.3", R"("x")")}});
  write({{"w", online("a.4", R"("x")")}});
  CAF_CHECK(answers().empty());
  CAF_CHECK_EQUAL(rows(), 0u);
  answer_members();
  CAF_CHECK_EQUAL(answers(), (words{"2 joined", "3 joined", "4 joined"}));
  CAF_CHECK_EQUAL(rows(), 4u);
  CAF_CHECK_EQUAL(counts.presence[0].cache_misses.get(), 1u);
}

CAF_TEST(the_lists_of_all_misses_are_read_together) {
  start();
  for (auto* user : {"u", "v", "w"})
    write({{user, online("a.1", R"("x")")}, {user, offline}, {user, evict}});
  members.answers_at_once = false;
  members.reads = 0;
  write({{"u", online("a.2")}, {"v", online("a.3")}});
  write({{"w", online("a.4")}});
  CAF_CHECK_EQUAL(members.reads, 3u);
  answers();
  answer_members();
  CAF_CHECK_EQUAL(answers(), (words{"2 joined", "3 joined", "4 joined"}));
}

CAF_TEST(a_join_of_an_evicted_user_adds_to_what_it_had) {
  start();
  write({{"u", online("a.1", R"("x","y")")}, {"u", offline}, {"u", evict}});
  write({{"u", R"({"op":"join","channels":["z"]})"}});
  CAF_CHECK_EQUAL(rows(), 3u);
  write({{"u", evict}, {"u", R"({"op":"leave","channels":["x"]})"}});
  CAF_CHECK_EQUAL(rows(), 2u);
}

CAF_TEST(a_lost_list_is_told_and_the_session_is_there) {
  start();
  write({{"u", online("a.1", R"("x","y")")}, {"u", offline}, {"u", evict}});
  answers();
  members.records.clear();
  write({{"u", online("a.2")}});
  CAF_CHECK_EQUAL(answers(), words{"2 membership_lost"});
  CAF_CHECK(reports.has("member-list-lost"));
  pass(1s);
  CAF_CHECK_EQUAL(counts.presence[0].users_online.get(), 1u);
  CAF_CHECK_EQUAL(counts.presence[0].member_lists_lost.get(), 1u);
  write({{"u", online("a.3", R"("x","y")")}});
  CAF_CHECK_EQUAL(answers(), words{"3 joined"});
  CAF_CHECK_EQUAL(rows(), 2u);
}

CAF_TEST(a_node_that_starts_again_finds_every_list) {
  start();
  write({{"u", online("a.1", R"("x","y")")},
         {"u", offline},
         {"u", evict},
         {"v", online("a.2", R"("x")")},
         {"v", R"({"op":"join","channels":["z"]})"},
         {"u", R"({"op":"join","channels":["z"]})"},
         {"u", evict}});
  CAF_CHECK_EQUAL(rows(), 2u);
  auto written = members.last;
  members.answers_at_once = false;
  start();
  CAF_CHECK_EQUAL(rows(), 0u);
  for (int i = 0; i < 5; ++i)
    answer_members();
  CAF_CHECK_EQUAL(rows(), 2u);
  // The store had it all.
  CAF_CHECK_EQUAL(members.last, written);
  write({{"u", online("a.3")}});
  answer_members();
  CAF_CHECK_EQUAL(rows(), 5u);
}

CAF_TEST(a_scan_that_is_lost_is_started_again) {
  start();
  write({{"u", online("a.1", R"("x","y")")}, {"u", offline}, {"u", evict}});
  members.answers_at_once = false;
  start();
  members.due.clear();
  pass(10s);
  CAF_CHECK(members.due.empty());
  pass(10s);
  CAF_CHECK_EQUAL(members.due.size(), 1u);
  answer_members();
  answers();
  write({{"u", online("a.2")}});
  answer_members();
  CAF_CHECK_EQUAL(answers(), words{"2 joined"});
  CAF_CHECK_EQUAL(rows(), 2u);
}

CAF_TEST(the_records_of_a_store_that_was_made_anew_are_found) {
  start();
  write({{"u", online("a.1", R"("x","y")")}, {"u", offline}, {"u", evict}});
  members.is_other_stream = true;
  start();
  CAF_CHECK(reports.has("members-store-lost"));
  write({{"u", online("a.2")}});
  answers();
  CAF_CHECK_EQUAL(rows(), 2u);
}

CAF_TEST(who_reconnects_with_the_same_channels_costs_no_write) {
  start();
  write({{"u", online("a.1", R"("x","y")")}});
  CAF_CHECK_EQUAL(members.last, 1u);
  for (int i = 0; i < 5; ++i)
    write({{"u", offline}, {"u", online("a.2", R"("y","x")")}});
  CAF_CHECK_EQUAL(members.last, 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
