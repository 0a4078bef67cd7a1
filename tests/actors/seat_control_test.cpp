// SPDX-License-Identifier: MIT
#define CAF_SUITE actors.seat_control

#include "actors/seat_control.hpp"
#include "actors/supervisor.hpp"
#include "tests/actors/actor_fixture.hpp"

#include <future>

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

using adder_actor = component_actor::extend<caf::reacts_to<int>>;

struct adder_deps {
  environment env;
};

/// Adds numbers up; its state survives.
struct adder_state {
  static inline const char* name = "adder_of_numbers";
  using handle = adder_actor;

  adder_actor::pointer self = nullptr;
  adder_deps deps;
  std::vector<int> numbers;

  void start(adder_deps x) { deps = std::move(x); }
  void recover() {}
  void describe(json::object& out) const {
    out["count"] = uint64_t{numbers.size()};
  }
};

adder_actor::behavior_type adder(component<adder_actor, adder_state>* self,
                                 adder_deps deps) {
  auto& state = enter(self, std::move(deps));
  return {
      [](const tick&) {},
      [](const inspect_node&) {},
      [&state](int x) {
        if (x < 0)
          throw std::runtime_error("negative");
        state.numbers.push_back(x);
      },
  };
}

/// The root with one supervisor, which has one adder: `math/adder`.
struct fixture : actor_fixture {
  actor_directory directory;
  seat_control control{directory};
  place root_seat, branch_seat, seat_of_adder;
  supervisor_actor root;

  fixture() {
    root_seat = place::make(sys);
    branch_seat = place::make(sys);
    seat_of_adder = place::make(sys);
    control.enter(root_seat, "", "node", true);
    control.enter(branch_seat, "node", "math", true);
    control.enter(seat_of_adder, "math", "adder", false);
    auto branch = child("math", [this] {
      return spawn_supervisor("math", branch_seat, {child("adder", [this] {
                                return spawn_adder();
                              })});
    });
    root = adopt(caf::actor_cast<supervisor_actor>(
        spawn_supervisor("node", root_seat, {branch})));
    run();
  }

  ~fixture() override {
    caf::anon_send_exit(root, caf::exit_reason::kill);
    run();
    for (auto* x : {&root_seat, &branch_seat, &seat_of_adder})
      (*x)->close();
  }

  static supervised_child child(std::string id,
                                std::function<caf::actor()> start) {
    supervised_child result;
    result.spec.id = std::move(id);
    result.start = std::move(start);
    return result;
  }

  caf::actor spawn_supervisor(std::string id, const place& where,
                              std::vector<supervised_child> children) {
    if (!where->reserve())
      return nullptr;
    supervisor_deps deps;
    deps.env = env;
    deps.env.seat = where;
    deps.spec.id = std::move(id);
    deps.spec.intensity = {100, 10s};
    deps.children = std::move(children);
    return caf::actor_cast<caf::actor>(sys.spawn(supervisor, std::move(deps)));
  }

  caf::actor spawn_adder() {
    if (!seat_of_adder->reserve())
      return nullptr;
    adder_deps deps{env};
    deps.env.seat = seat_of_adder;
    return caf::actor_cast<caf::actor>(sys.spawn(adder, deps));
  }

  void send(int x) { caf::anon_send(seat_of_adder.as<adder_actor>(), x); }

  actor_record& record(std::string_view id) { return *directory.find(id); }

  /// Lets pauses before restarts pass.
  void settle() {
    run();
    for (int i = 0; i < 10; ++i) {
      clock.time += 1s;
      caf::anon_send(root_seat.as<component_actor>(), tick{clock.time});
      caf::anon_send(branch_seat.as<component_actor>(), tick{clock.time});
      run();
    }
  }

  /// An actor answers only while the scheduler of the test runs.
  std::optional<json::object> describe(std::string_view id) {
    auto answer = std::async(std::launch::async,
                             [&, id] { return control.describe(id, 10s); });
    while (answer.wait_for(1ms) != std::future_status::ready)
      run();
    return answer.get();
  }

  std::string events_of(std::string_view id) {
    std::string result;
    for (auto& x : record(id).journal.events())
      result.append(result.empty() ? "" : " ").append(to_string(x.what));
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(tests, fixture)

CAF_TEST(actors are known by their paths) {
  std::vector<std::string> ids;
  for (auto& x : directory.all())
    ids.push_back(x->supervisor + ">" + x->id);
  CAF_CHECK_EQUAL(
      ids, (std::vector<std::string>{">node", "node>math", "math>math/adder"}));
  CAF_CHECK_EQUAL(std::string{record("math/adder").kind.load()},
                  "adder_of_numbers");
  CAF_CHECK_EQUAL(std::string{record("node").kind.load()}, "supervisor");
  CAF_CHECK(directory.find("nobody") == nullptr);
}

CAF_TEST(what an actor handles is counted) {
  send(1);
  send(2);
  CAF_CHECK_EQUAL(record("math/adder").signs.read().waiting, 2u);
  run();
  auto x = record("math/adder").signs.read();
  CAF_CHECK_EQUAL(x.waiting, 0u);
  CAF_CHECK_EQUAL(x.handled, 2u);
  CAF_CHECK(x.current == nullptr);
  auto kinds = record("math/adder").signs.by_kind();
  CAF_REQUIRE_EQUAL(kinds.size(), 1u);
  CAF_CHECK_EQUAL(kinds[0].second, 2u);
}

CAF_TEST(a tick tells how long messages wait) {
  auto sent = clock.time;
  caf::anon_send(seat_of_adder.as<adder_actor>(), tick{sent});
  clock.time += 3ms;
  run();
  auto waits = record("math/adder").signs.wait_times();
  CAF_CHECK_EQUAL(waits.count(), 1u);
  CAF_CHECK_EQUAL(waits.max(), 3'000'000u);
}

CAF_TEST(a supervisor says how its children are) {
  auto board = record("math").board.read();
  CAF_REQUIRE_EQUAL(board.children.size(), 1u);
  CAF_CHECK_EQUAL(board.children[0].id, "adder");
  CAF_CHECK(board.children[0].phase
            == supervisor_machine::child_phase::running);
  CAF_CHECK_EQUAL(board.intensity.restarts, 100u);
}

CAF_TEST(every way to kill an actor ends in a restart and loses nothing) {
  auto restarts = 0u;
  for (auto mode : {kill_mode::exception, kill_mode::exit, kill_mode::kill}) {
    send(1);
    CAF_CHECK(control.kill("math/adder", mode, 0s) == control_result::done);
    send(2);
    settle();
    ++restarts;
    CAF_CHECK_EQUAL(record("math/adder").journal.sum_up().starts, restarts + 1);
    auto said = describe("math/adder");
    CAF_REQUIRE(said);
    CAF_CHECK_EQUAL((*said)["count"].if_int() ? *(*said)["count"].if_int() : -1,
                    2 * restarts);
  }
  CAF_CHECK_EQUAL(events_of("math/adder"),
                  "started killed failed restarted killed failed restarted "
                  "killed failed restarted");
  auto causes = record("math/adder").journal.events();
  CAF_CHECK_EQUAL(causes[1].detail, "exception");
  CAF_CHECK(causes[2].detail.find("failed on purpose") != std::string::npos);
  CAF_CHECK(causes[5].detail.find("told to exit") != std::string::npos);
  CAF_CHECK_EQUAL(causes[7].detail, "kill");
  // The two before are more than ten seconds old.
  CAF_CHECK_EQUAL(record("math").board.read().recent_restarts, 1u);
}

CAF_TEST(who hangs is busy meanwhile) {
  // The test's scheduler runs the handler in this thread, so it is over when
  // we look: what counts is that it was handled and nobody failed.
  CAF_CHECK(control.kill("math/adder", kill_mode::hang, 1ms)
            == control_result::done);
  run();
  CAF_CHECK_EQUAL(events_of("math/adder"), "started killed");
  CAF_CHECK_EQUAL(record("math/adder").signs.read().handled, 1u);
}

CAF_TEST(a supervisor that is killed comes back with its children) {
  send(7);
  run();
  for (auto mode : {kill_mode::exception, kill_mode::exit, kill_mode::kill}) {
    CAF_CHECK(control.kill("math", mode, 0s) == control_result::done);
    settle();
    CAF_CHECK(!record("math").is_vacant);
    CAF_CHECK(!record("math/adder").is_vacant);
  }
  CAF_CHECK_EQUAL(record("math").journal.sum_up().starts, 4u);
  CAF_CHECK_EQUAL(record("math/adder").journal.sum_up().starts, 4u);
  auto said = describe("math/adder");
  CAF_REQUIRE(said);
  CAF_CHECK((*said)["count"] == json::value{1});
}

CAF_TEST(messages to a suspended actor wait in order) {
  CAF_CHECK(control.suspend("math/adder") == control_result::done);
  CAF_CHECK(control.suspend("math/adder") == control_result::unchanged);
  for (int i = 0; i < 5; ++i)
    send(i);
  caf::anon_send(seat_of_adder.as<adder_actor>(), tick{clock.time});
  run();
  CAF_CHECK(record("math/adder").is_suspended);
  CAF_CHECK_EQUAL(record("math/adder").held.get(), 5u);
  // Questions get through.
  auto said = describe("math/adder");
  CAF_REQUIRE(said);
  CAF_CHECK((*said)["count"] == json::value{0});
  CAF_CHECK(control.resume("math/adder") == control_result::done);
  CAF_CHECK(control.resume("math/adder") == control_result::unchanged);
  run();
  said = describe("math/adder");
  CAF_REQUIRE(said);
  CAF_CHECK((*said)["count"] == json::value{5});
  CAF_CHECK_EQUAL(record("math/adder").held.get(), 0u);
  CAF_CHECK_EQUAL(events_of("math/adder"), "started suspended resumed");
}

CAF_TEST(who is killed while suspended stays suspended and loses nothing) {
  control.suspend("math/adder");
  send(1);
  CAF_CHECK(control.kill("math/adder", kill_mode::kill, 0s)
            == control_result::done);
  settle();
  send(2);
  run();
  CAF_CHECK(!record("math/adder").is_vacant);
  CAF_CHECK_EQUAL(record("math/adder").held.get(), 2u);
  control.resume("math/adder");
  run();
  auto said = describe("math/adder");
  CAF_REQUIRE(said);
  CAF_CHECK((*said)["count"] == json::value{2});
}

CAF_TEST(what cannot be done is said) {
  CAF_CHECK(control.kill("nobody", kill_mode::kill, 0s)
            == control_result::unknown);
  CAF_CHECK(control.suspend("nobody") == control_result::unknown);
  CAF_CHECK(control.resume("nobody") == control_result::unknown);
  CAF_CHECK(control.suspend("math") == control_result::refused);
  CAF_CHECK(!control.describe("nobody", 1ms));
  auto empty_seat = place::make(sys);
  control.enter(empty_seat, "math", "ghost", false);
  CAF_CHECK(control.kill("math/ghost", kill_mode::kill, 0s)
            == control_result::away);
  CAF_CHECK(!control.describe("math/ghost", 1ms));
}

CAF_TEST(what nobody understands is a dead letter) {
  caf::anon_send(seat_of_adder.as<caf::actor>(), start_child{});
  run();
  auto letters = counts.letters.newest(10);
  CAF_REQUIRE_EQUAL(letters.size(), 1u);
  CAF_CHECK_EQUAL(letters[0].reason, "unexpected_message");
  CAF_CHECK_EQUAL(letters[0].actor, "math/adder");
  CAF_CHECK_EQUAL(letters[0].message, "start_child");
}

CAF_TEST_FIXTURE_SCOPE_END()
