// SPDX-License-Identifier: MIT
#define CAF_SUITE actors.restart

#include "actors/egress.hpp"
#include "actors/node_guard.hpp"
#include "actors/presence_shard.hpp"
#include "actors/puller.hpp"
#include "actors/routing_shard.hpp"
#include "actors/supervisor.hpp"
#include "core/subject.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/actors/memory_members.hpp"
#include "tests/seed.hpp"

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

/// A shard, a presence shard, two egresses and two pullers under a supervisor,
/// fed by hand, in a world where any of them may fail at any message.
struct fixture : actor_fixture {
  recording_bus bus[2];
  scripted_log chat_log, presence_log;
  memory_members members;
  std::vector<place> places;
  std::vector<supervised_child> children;
  std::vector<egress_actor> egresses;
  routing_shard_actor shard;
  presence_shard_actor presence;
  puller_actor chat, updates;
  supervisor_actor root;
  uint64_t chat_to = 100, presence_to = 0;
  std::vector<std::string> got;
  std::string ended_with;

  template <class Fun, class Deps>
  auto add(Fun fun, Deps deps) {
    auto where = place::make(sys);
    places.push_back(where);
    deps.env = env;
    deps.env.seat = where;
    supervised_child child;
    child.spec.id = "child-" + std::to_string(places.size());
    child.start = [this, fun, deps, where]() -> caf::actor {
      if (!where->reserve())
        return nullptr;
      return caf::actor_cast<caf::actor>(sys.spawn(fun, deps));
    };
    children.push_back(std::move(child));
    return where.as<caf::infer_handle_from_fun_t<Fun>>();
  }

  fixture() {
    instances.intern("n0");
    instances.intern("n1");
    for (uint16_t i = 0; i < 2; ++i) {
      egress_deps deps;
      deps.group = i;
      deps.bus = &bus[i];
      deps.shards = 1;
      egresses.push_back(add(egress, deps));
    }
    node_guard_deps guard;
    guard.shards = 1;
    guard.start_routing = [](shard_id) {
    };
    guard.on_ready = [] {
    };
    routing_shard_deps routing;
    routing.shard = shard_id{0};
    routing.presence_shards = 1;
    routing.egresses = egresses;
    routing.owner = epoch{3};
    routing.settled = position{100};
    routing.created_at = "t1";
    routing.guard = add(node_guard, guard);
    shard = add(routing_shard, routing);
    presence_shard_deps users;
    users.ledger.shards = 1;
    users.ledger.started = clock.now();
    users.members = &members;
    users.routing = {shard};
    presence = add(presence_shard, users);
    chat = add_puller(chat_log, shard);
    updates = add_puller(presence_log, presence);
    supervisor_deps deps;
    deps.env = env;
    deps.spec.id = "root";
    deps.spec.intensity = {1'000'000, 1s};
    deps.spec.healthy = 0s;
    deps.children = children;
    root = adopt(sys.spawn(supervisor, std::move(deps)));
    caf::actor_cast<caf::actor>(root)->attach_functor(
        [this](const caf::error& x) { ended_with = sys.render(x); });
    open_logs();
  }

  ~fixture() override {
    caf::anon_send_exit(root, caf::exit_reason::kill);
    run();
    chat_log.close();
    presence_log.close();
    for (auto& x : places)
      x->close();
  }

  puller_actor add_puller(scripted_log& log, pull_sink_actor sink) {
    puller_deps deps;
    deps.reader = &log;
    deps.sink = std::move(sink);
    return add(puller, deps);
  }

  void open_logs() {
    for (auto& x : egresses)
      caf::anon_send(x, link_reopened{1});
    caf::anon_send(updates, start_pulling{position{0}, {}});
    run();
    presence_log.opened(1, 0);
    run();
    caf::anon_send(chat, start_pulling{position{100}, "t1"});
    run();
    chat_log.opened(1, 100);
    run();
    serve();
  }

  void update(std::string_view user, std::string_view body) {
    presence_log.to.on_pull(presence_log.attempt,
                            record(0, ++presence_to, user, body));
  }

  void say() {
    ++chat_to;
    chat_log.to.on_pull(
        chat_log.attempt,
        record(0, chat_to, "general", "event " + std::to_string(chat_to)));
  }

  /// The server takes what was published; markers come back.
  void serve() {
    for (size_t i = 0; i < 2; ++i)
      while (!bus[i].messages.empty()) {
        auto x = bus[i].take();
        if (x.marker > 0)
          caf::anon_send(egresses[i], marker_returned{1, x.marker});
        else
          got.push_back(std::string{last_token(x.subject)} + ":" + x.body);
      }
  }

  void end_one(std::mt19937_64& random) {
    auto who = places[random() % places.size()].as<caf::actor>();
    switch (random() % 3) {
    case 0:
      caf::anon_send_exit(who, caf::exit_reason::kill);
      break;
    case 1:
      caf::anon_send_exit(who, caf::exit_reason::unhandled_exception);
      break;
    default:
      caf::anon_send(who, fail_on_purpose{});
    }
  }

  void some_steps(uint64_t count) {
    for (; count > 0 && sched.has_job(); --count)
      sched.run_once();
  }

  void let_time_pass() {
    clock.time += 50ms;
    caf::anon_send(root, tick{clock.time});
    for (auto& x : places)
      caf::anon_send(x.as<component_actor>(), tick{clock.time});
  }

  std::vector<std::string> got_by(std::string_view instance) const {
    std::vector<std::string> result;
    for (auto& x : got)
      if (x.starts_with(instance))
        result.push_back(x);
    return result;
  }

  std::vector<std::string> all_for(const std::string& instance) const {
    std::vector<std::string> result;
    for (uint64_t i = 101; i <= chat_to; ++i)
      result.push_back(instance + ":event " + std::to_string(i));
    return result;
  }
};

constexpr auto online_n0 = R"({"op":"online","session":"s1","instance":"n0",)"
                           R"("channels":["general"]})";
constexpr auto online_n1 = R"({"op":"online","session":"s2","instance":"n1",)"
                           R"("channels":["general"]})";

} // namespace

CAF_TEST_FIXTURE_SCOPE(restart_tests, fixture)

CAF_TEST(who_fails_amid_a_change_is_not_trusted_any_more) {
  update("alice", online_n0);
  run();
  bus[0].is_defect = true;
  say();
  run();
  CAF_CHECK(ended_with.find("cannot go on: it failed amid a message")
            != std::string::npos);
  CAF_CHECK(reports.has("supervisor-gave-up"));
}

CAF_TEST(whoever_fails_whenever_nothing_is_lost_repeated_or_reordered) {
  std::mt19937_64 random{test_seed()};
  update("alice", online_n0);
  update("bob", online_n1);
  run();
  serve();
  run();
  for (int i = 0; i < 2000; ++i) {
    say();
    if (random() % 3 == 0)
      end_one(random);
    some_steps(random() % 12);
    if (random() % 4 == 0)
      serve();
    if (random() % 20 == 0)
      let_time_pass();
    if (random() % 30 == 0)
      update("carol" + std::to_string(random() % 5), online_n0);
  }
  for (int i = 0; i < 50; ++i) {
    let_time_pass();
    run();
    serve();
  }
  run();
  CAF_CHECK_EQUAL(ended_with, "");
  CAF_CHECK(got_by("n0") == all_for("n0"));
  CAF_CHECK(got_by("n1") == all_for("n1"));
  CAF_CHECK_EQUAL(counts.shard[0].settled_to.get(), chat_to);
}

CAF_TEST_FIXTURE_SCOPE_END()
