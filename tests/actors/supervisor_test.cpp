// SPDX-License-Identifier: MIT
#define CAF_SUITE actors.supervisor

#include "actors/supervisor.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/seed.hpp"

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

using noter_actor = component_actor::extend<caf::reacts_to<int>>;

/// What noters have done, in order, and what makes them fail.
struct notebook {
  std::vector<std::string> lines;
  std::vector<int> numbers;
  /// Numbers that make a noter fail, and how often they still do.
  std::map<int, int> poison;
  /// Nobody who failed amid a message can go on.
  bool is_damaged = false;
};

struct noter_deps {
  environment env;
  notebook* book = nullptr;
  std::string id;
  bool ignores_exit = false;
};

/// Notes numbers, in a state that has to survive.
struct noter_state {
  static inline const char* name = "noter";
  using handle = noter_actor;

  noter_actor::pointer self = nullptr;
  noter_deps deps;
  int count = 0;

  void start(noter_deps x) { deps = std::move(x); }
  void recover() {
    deps.book->lines.push_back("recover " + deps.id);
    if (deps.book->is_damaged)
      throw state_damaged("nothing adds up");
  }
  void on_number(int x) {
    if (deps.book->poison[x]-- > 0)
      throw std::runtime_error("poisoned by " + std::to_string(x));
    deps.book->numbers.push_back(x);
    ++count;
  }
};

noter_actor::behavior_type noter(component<noter_actor, noter_state>* self,
                                 noter_deps deps) {
  auto book = deps.book;
  auto id = deps.id;
  if (deps.ignores_exit)
    self->set_exit_handler([](caf::exit_msg&) {});
  self->attach_functor([book, id] { book->lines.push_back("end " + id); });
  auto& state = enter(self, std::move(deps));
  book->lines.push_back("begin " + id);
  return {
      [](const tick&) {},
      [](const inspect_node&) {},
      [&state](int x) { state.on_number(x); },
  };
}

struct fixture : actor_fixture {
  notebook book;
  std::map<std::string, place> places;
  std::map<std::string, caf::actor> newest;
  supervisor_actor root;
  std::string ended_with;

  ~fixture() override {
    caf::anon_send_exit(root, caf::exit_reason::kill);
    run();
    for (auto& [id, x] : places)
      x->close();
    newest.clear();
  }

  supervised_child child(std::string id, duration grace = 5s,
                         bool ignores_exit = false) {
    auto& where = places[id];
    if (!where)
      where = place::make(sys);
    child_spec spec;
    spec.id = id;
    spec.grace = grace;
    return {spec, [this, id, where, ignores_exit]() -> caf::actor {
              if (!where->reserve())
                return nullptr;
              noter_deps deps{env, &book, id, ignores_exit};
              deps.env.seat = where;
              auto actor = caf::actor_cast<caf::actor>(sys.spawn(noter, deps));
              newest[id] = actor;
              return actor;
            }};
  }

  supervisor_deps spec(std::string id, supervision_strategy how,
                       std::vector<supervised_child> children,
                       restart_intensity limit = {100, 10s}) {
    supervisor_deps deps;
    deps.env = env;
    deps.spec.id = std::move(id);
    deps.spec.strategy = how;
    deps.spec.intensity = limit;
    deps.children = std::move(children);
    return deps;
  }

  void begin(supervisor_deps deps) {
    root = adopt(sys.spawn(supervisor, std::move(deps)));
    caf::actor_cast<caf::actor>(root)->attach_functor(
        [this](const caf::error& x) { ended_with = sys.render(x); });
    run();
  }

  noter_actor to(const std::string& id) { return places[id].as<noter_actor>(); }
  void kill(const std::string& id) {
    caf::anon_send_exit(newest[id], caf::exit_reason::kill);
  }
  std::string lines() {
    std::string result;
    for (auto& x : std::exchange(book.lines, {}))
      result += (result.empty() ? "" : ", ") + x;
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_tests, fixture)

CAF_TEST(children_start_in_order_and_stop_in_reverse_order) {
  begin(spec("root", supervision_strategy::one_for_one,
             {child("a"), child("b"), child("c")}));
  CAF_CHECK_EQUAL(lines(), "begin a, begin b, begin c");
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  run();
  CAF_CHECK_EQUAL(lines(), "end c, end b, end a");
  CAF_CHECK_EQUAL(ended_with, sys.render(caf::exit_reason::user_shutdown));
}

CAF_TEST(who_does_not_stop_in_time_is_killed) {
  begin(spec("root", supervision_strategy::one_for_one,
             {child("a"), child("b", 2s, true)}));
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  run();
  lines();
  pass(1s);
  CAF_CHECK_EQUAL(lines(), "");
  pass(1s);
  CAF_CHECK_EQUAL(lines(), "end b, end a");
}

CAF_TEST(what_was_not_handled_is_handled_by_the_next_one_in_order) {
  begin(spec("root", supervision_strategy::one_for_one, {child("a")}));
  book.poison[3] = 1;
  for (int i = 0; i < 6; ++i)
    caf::anon_send(to("a"), i);
  run();
  CAF_CHECK_EQUAL(book.numbers, (std::vector<int>{0, 1, 2, 3, 4, 5}));
  CAF_CHECK_EQUAL(lines(), "begin a, end a, recover a, begin a");
  CAF_CHECK(reports.has("child-failed"));
  CAF_CHECK(reports.has("child-restarted"));
}

CAF_TEST(a_message_that_always_fails_makes_the_supervisor_give_up) {
  begin(
      spec("root", supervision_strategy::one_for_one, {child("a")}, {3, 10s}));
  book.poison[1] = 1000;
  caf::anon_send(to("a"), 1);
  run();
  for (int i = 0; i < 20; ++i)
    pass(100ms);
  CAF_CHECK(ended_with.find("gave up: more than 3 restarts")
            != std::string::npos);
  CAF_CHECK(ended_with.find("poisoned by 1") != std::string::npos);
}

CAF_TEST(nobody_goes_on_with_a_damaged_state) {
  begin(spec("root", supervision_strategy::one_for_one,
             {child("a"), child("b")}, {3, 10s}));
  lines();
  book.poison[1] = 1;
  book.is_damaged = true;
  caf::anon_send(to("a"), 1);
  run();
  CAF_CHECK_EQUAL(lines(), "end a, recover a, end a, end b");
  CAF_CHECK(ended_with.find("child a cannot go on: nothing adds up")
            != std::string::npos);
  CAF_CHECK(book.numbers.empty());
}

CAF_TEST(a_supervisor_that_gives_up_is_restarted_by_its_parent) {
  auto where = places["branch"] = place::make(sys);
  supervised_child branch;
  branch.spec.id = "branch";
  branch.start = [this, where]() -> caf::actor {
    if (!where->reserve())
      return nullptr;
    auto deps = spec("branch", supervision_strategy::one_for_one,
                     {child("a"), child("b")}, {1, 10s});
    deps.env.seat = where;
    auto actor = sys.spawn(supervisor, std::move(deps));
    newest["branch"] = caf::actor_cast<caf::actor>(actor);
    return newest["branch"];
  };
  begin(spec("root", supervision_strategy::one_for_one, {branch, child("c")}));
  lines();
  kill("a");
  run();
  kill("a");
  run();
  pass(100ms);
  CAF_CHECK_EQUAL(lines(), "end a, begin a, end a, end b, begin a, begin b");
  CAF_CHECK(reports.has("supervisor-gave-up"));
  // Killed, it takes its children along, and they come back, too.
  kill("branch");
  run();
  for (int i = 0; i < 5; ++i) {
    caf::anon_send(where.as<component_actor>(), tick{clock.time});
    pass(100ms);
  }
  caf::anon_send(to("a"), 1);
  caf::anon_send(to("b"), 2);
  run();
  CAF_CHECK_EQUAL(book.numbers, (std::vector<int>{1, 2}));
  CAF_CHECK_EQUAL(ended_with, "");
}

CAF_TEST(children_are_taken_on_later) {
  begin(spec("root", supervision_strategy::one_for_one, {}));
  auto late = child("late");
  late.spec.restart = restart_kind::transient;
  caf::anon_send(to("late"), 7);
  caf::anon_send(root, start_child{late});
  run();
  CAF_CHECK_EQUAL(book.numbers, std::vector<int>{7});
  kill("late");
  run();
  caf::anon_send(to("late"), 8);
  run();
  CAF_CHECK_EQUAL(book.numbers, (std::vector<int>{7, 8}));
}

CAF_TEST(nothing_is_lost_or_reordered_whenever_a_child_fails) {
  std::mt19937_64 random{test_seed()};
  begin(spec("root", supervision_strategy::one_for_one, {child("a")},
             {100'000, 10s}));
  std::vector<int> expected;
  for (int i = 0; i < 3000; ++i) {
    expected.push_back(i);
    caf::anon_send(to("a"), i);
    switch (random() % 12) {
    case 0:
      kill("a");
      break;
    case 1:
      caf::anon_send(places["a"].as<caf::actor>(), fail_on_purpose{});
      break;
    case 2:
      book.poison[i] = 1;
      break;
    default:
      break;
    }
    // Some steps of whoever has something to do.
    for (auto steps = random() % 6; steps > 0 && sched.has_job(); --steps)
      sched.run_once();
    if (random() % 50 == 0)
      pass(6s);
  }
  run();
  for (int i = 0; i < 1000 && book.numbers.size() < expected.size(); ++i)
    pass(6s);
  CAF_CHECK_EQUAL(book.numbers.size(), expected.size());
  auto [got, want] = std::mismatch(book.numbers.begin(), book.numbers.end(),
                                   expected.begin(), expected.end());
  CAF_CHECK_EQUAL(got - book.numbers.begin(), 3000);
  CAF_CHECK_EQUAL(ended_with, "");
}

CAF_TEST_FIXTURE_SCOPE_END()
