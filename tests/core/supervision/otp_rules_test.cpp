// SPDX-License-Identifier: MIT
#define CAF_SUITE core.supervision.otp_rules

#include "core/supervision/supervisor_machine.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <deque>
#include <random>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

using kind = supervisor_machine::action::kind;
using phase = supervisor_machine::child_phase;

/// Whether the n-th start of a run works; the same for machine and model.
struct fate {
  uint64_t seed;
  unsigned failures_percent;
  bool works(uint64_t n) const {
    std::mt19937_64 random{seed + n};
    return random() % 100 >= failures_percent;
  }
};

/// What was done to the children, in order.
struct step {
  char what;
  size_t child;
  bool operator==(const step&) const = default;
};

/// OTP's supervisor as its manual has it (sup_princ, and the module's page):
/// one call does everything, stops and starts are done at once, a restart that
/// fails counts as another restart.
class otp {
public:
  otp(supervisor_spec spec, fate starts) : spec_(std::move(spec)) {
    fate_ = starts;
    for (auto& x : spec_.children)
      list_.push_back({x.restart, false, false});
  }

  void init() {
    for (size_t i = 0; i < list_.size(); ++i)
      if (!start(i))
        return shut_down();
  }

  void exited(size_t i, bool is_failure, time_point now) {
    if (ended || !list_[i].is_running)
      return;
    list_[i].is_running = false;
    switch (list_[i].kind) {
    case restart_kind::temporary:
      list_[i].is_deleted = true;
      break;
    case restart_kind::transient:
      if (is_failure)
        restart(i, now);
      break;
    case restart_kind::permanent:
      restart(i, now);
      break;
    }
  }

  void shut_down() {
    terminate_from(0);
    ended = true;
  }

  bool is_running(size_t i) const { return list_[i].is_running; }

  bool ended = false;
  std::vector<step> log;

private:
  struct entry {
    restart_kind kind;
    bool is_running;
    bool is_deleted;
  };

  bool start(size_t i) {
    auto works = fate_.works(starts_++);
    log.push_back({works ? '+' : '!', i});
    list_[i].is_running = works;
    return works;
  }

  void terminate_from(size_t first) {
    for (auto i = list_.size(); i-- > first;) {
      if (!list_[i].is_running)
        continue;
      log.push_back({'-', i});
      list_[i].is_running = false;
      list_[i].is_deleted = list_[i].kind == restart_kind::temporary;
    }
  }

  void restart(size_t failed, time_point now) {
    for (;;) {
      restarts_.push_back(now);
      auto in_period
          = std::count_if(restarts_.begin(), restarts_.end(), [&](auto at) {
              return now - at <= spec_.intensity.period;
            });
      if (in_period > static_cast<std::ptrdiff_t>(spec_.intensity.restarts))
        return shut_down();
      auto first = failed;
      auto end = failed + 1;
      if (spec_.strategy != supervision_strategy::one_for_one)
        end = list_.size();
      if (spec_.strategy == supervision_strategy::one_for_all)
        first = 0;
      if (spec_.strategy != supervision_strategy::one_for_one)
        terminate_from(first);
      auto again = end;
      for (auto i = first; i < end && again == end; ++i)
        if (!list_[i].is_deleted && !list_[i].is_running && !start(i))
          again = i;
      if (again == end)
        return;
      failed = again;
    }
  }

  supervisor_spec spec_;
  fate fate_{};
  uint64_t starts_ = 0;
  std::vector<entry> list_;
  std::vector<time_point> restarts_;
};

/// Carries out at once what a machine says.
struct at_once {
  supervisor_machine& sup;
  fate starts;
  uint64_t started = 0;
  std::vector<step> log;

  void carry_out(supervisor_machine::actions& out, time_point now) {
    while (!out.empty()) {
      auto todo = std::exchange(out, {});
      for (auto& x : todo)
        carry_out(x, now, out);
    }
  }

  void carry_out(supervisor_machine::action x, time_point now,
                 supervisor_machine::actions& out) {
    if (x.what == kind::start) {
      auto works = starts.works(started++);
      log.push_back({works ? '+' : '!', x.child});
      if (works)
        sup.started(x.child, now, out);
      else
        sup.start_failed(x.child, "no", 0, now, out);
    } else if (x.what == kind::stop || x.what == kind::kill) {
      log.push_back({'-', x.child});
      sup.ended(x.child, child_end::orderly, "", 0, now, out);
    }
  }
};

supervisor_spec random_spec(std::mt19937_64& random) {
  supervisor_spec result;
  result.id = "random";
  result.strategy = static_cast<supervision_strategy>(random() % 3);
  result.intensity = {static_cast<uint32_t>(random() % 12),
                      std::chrono::milliseconds{random() % 3'000}};
  auto children = 1 + random() % 6;
  for (size_t i = 0; i < children; ++i) {
    child_spec x;
    x.id = std::to_string(i);
    x.restart = static_cast<restart_kind>(random() % 3);
    x.grace = std::chrono::milliseconds{random() % 3 * 50};
    result.children.push_back(std::move(x));
  }
  return result;
}

void compare_with_otp(uint64_t seed) {
  std::mt19937_64 random{seed};
  auto spec = random_spec(random);
  // OTP knows no pauses.
  spec.healthy = 0s;
  fate starts{seed, random() % 4 == 0 ? 30u : 0u};
  supervisor_machine sup{spec};
  at_once hand{sup, starts, 0, {}};
  otp expected{spec, starts};
  supervisor_machine::actions out;
  time_point now{1h};
  sup.begin(now, out);
  hand.carry_out(out, now);
  expected.init();
  for (int i = 0; i < 60; ++i) {
    CAF_REQUIRE(hand.log == expected.log);
    CAF_REQUIRE_EQUAL(sup.is_ended(), expected.ended);
    for (size_t c = 0; c < sup.size(); ++c)
      CAF_REQUIRE_EQUAL(sup.view(c, now).phase == phase::running,
                        expected.is_running(c));
    now += std::chrono::milliseconds{random() % 700};
    auto victim = random() % sup.size();
    auto is_failure = random() % 3 != 0;
    sup.ended(victim, is_failure ? child_end::failed : child_end::orderly, "x",
              0, now, out);
    hand.carry_out(out, now);
    expected.exited(victim, is_failure, now);
  }
  sup.stop(now, out);
  hand.carry_out(out, now);
  if (!expected.ended)
    expected.shut_down();
  CAF_REQUIRE(hand.log == expected.log);
  CAF_REQUIRE(sup.is_ended());
}

/// A world in which everything takes its time: children that end slowly, or
/// only when killed, and fail while others are being stopped. Checks what holds
/// of every history, without saying what it has to be.
class slow_world {
public:
  explicit slow_world(uint64_t seed)
      : random_(seed), spec_(random_spec(random_)), sup_(spec_),
        alive_(spec_.children.size()), told_(alive_.size()) {}

  void run() {
    sup_.begin(now_, out_);
    for (int i = 0; i < 400 && !sup_.is_ended(); ++i) {
      note_all();
      now_ += std::chrono::milliseconds{random_() % 40};
      something_happens(random_() % 10);
    }
    settle();
    if (sup_.is_ended())
      return;
    CAF_REQUIRE(sup_.is_steady());
    for (size_t i = 0; i < alive_.size(); ++i)
      if (spec_.children[i].restart == restart_kind::permanent)
        CAF_REQUIRE(alive_[i]);
    sup_.stop(now_, out_);
    settle();
    CAF_REQUIRE(sup_.is_ended());
    CAF_REQUIRE(
        std::none_of(alive_.begin(), alive_.end(), [](bool x) { return x; }));
  }

private:
  bool is_alone() const {
    return spec_.strategy == supervision_strategy::one_for_one;
  }

  double jitter() { return static_cast<double>(random_() % 100) / 100; }

  void note_all() {
    while (!out_.empty())
      for (auto& x : std::exchange(out_, {}))
        note(x);
  }

  void note(supervisor_machine::action x) {
    CAF_REQUIRE(!is_over_);
    switch (x.what) {
    case kind::start:
      CAF_REQUIRE(!alive_[x.child]);
      CAF_REQUIRE(starting_.empty());
      CAF_REQUIRE(!sup_.is_stopping());
      // Nobody before its predecessor, if they share a fate.
      for (size_t i = 0; i < x.child; ++i)
        if (!is_alone() && spec_.children[i].restart == restart_kind::permanent)
          CAF_REQUIRE(alive_[i]);
      starting_.push_back(x.child);
      break;
    case kind::stop:
      // One at a time, and behind it nobody who has to go as well.
      for (auto& t : told_)
        CAF_REQUIRE(!t);
      CAF_REQUIRE(alive_[x.child]);
      if (sup_.is_stopping())
        for (auto i = x.child + 1; i < alive_.size(); ++i)
          CAF_REQUIRE(!alive_[i]);
      told_[x.child] = now_;
      break;
    case kind::kill:
      CAF_REQUIRE(alive_[x.child]);
      if (spec_.children[x.child].grace > 0s) {
        CAF_REQUIRE(told_[x.child].has_value());
        CAF_REQUIRE(now_ - *told_[x.child] >= spec_.children[x.child].grace);
      }
      end(x.child, child_end::failed);
      break;
    case kind::end:
      CAF_REQUIRE(sup_.is_ended());
      is_over_ = true;
      break;
    }
  }

  void end(size_t i, child_end how) {
    alive_[i] = false;
    told_[i].reset();
    supervisor_machine::actions more;
    sup_.ended(i, how, "x", jitter(), now_, more);
    out_.insert(out_.end(), more.begin(), more.end());
  }

  void answer_start(bool works) {
    if (starting_.empty())
      return;
    auto i = starting_.front();
    starting_.pop_front();
    alive_[i] = works;
    if (works)
      sup_.started(i, now_, out_);
    else
      sup_.start_failed(i, "no", jitter(), now_, out_);
  }

  void something_happens(uint64_t what) {
    auto i = random_() % alive_.size();
    if (what < 5)
      answer_start(random_() % 20 != 0);
    else if (what < 6 && alive_[i])
      end(i, random_() % 2 ? child_end::failed : child_end::orderly);
    else if (what < 9 && told_[i])
      end(i, child_end::orderly);
    else
      sup_.tick(now_, out_);
  }

  /// From now on everything works.
  void settle() {
    for (int i = 0; i < 1000; ++i) {
      note_all();
      answer_start(true);
      note_all();
      now_ += 30ms;
      sup_.tick(now_, out_);
      note_all();
    }
  }

  std::mt19937_64 random_;
  supervisor_spec spec_;
  supervisor_machine sup_;
  std::vector<bool> alive_;
  std::vector<std::optional<time_point>> told_;
  std::deque<size_t> starting_;
  time_point now_{1h};
  supervisor_machine::actions out_;
  bool is_over_ = false;
};

} // namespace

CAF_TEST(without_pauses_it_does_what_otp_does) {
  std::mt19937_64 random{test_seed()};
  for (int i = 0; i < 3000; ++i)
    compare_with_otp(random());
}

CAF_TEST(rules_hold_in_a_slow_world) {
  std::mt19937_64 random{test_seed()};
  for (int i = 0; i < 1000; ++i) {
    slow_world world{random()};
    world.run();
  }
}
