// SPDX-License-Identifier: MIT
#define CAF_SUITE actors.puller

#include "actors/puller.hpp"
#include "tests/actors/actor_fixture.hpp"

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

/// Notes what a puller hands on.
struct sink_state {
  static inline const char* name = "sink";
};

struct notes {
  std::vector<std::string> heard;
  puller_actor source;
};

pull_sink_actor::behavior_type
noting_sink(pull_sink_actor::stateful_pointer<sink_state> self, notes* out) {
  return {
      [=](const pulled& x) {
        out->heard.push_back("pulled to " + std::to_string(x.events->to.value));
      },
      [=](const log_found&) {
        out->source = caf::actor_cast<puller_actor>(self->current_sender());
        out->heard.push_back("found");
      },
      [=](const positions_lost& x) {
        out->heard.push_back("lost " + std::to_string(x.from.value) + " to "
                             + std::to_string(x.to.value));
      },
      [=](const log_restarted&) { out->heard.push_back("restarted"); },
      [=](const log_stalled&) { out->heard.push_back("stalled"); },
  };
}

struct fixture : actor_fixture {
  scripted_log log;
  notes sink;
  puller_actor tested;

  fixture() {
    puller_deps deps;
    deps.env = env;
    deps.reader = &log;
    deps.sink = adopt(sys.spawn(noting_sink, &sink));
    deps.window.events_per_request = 10;
    deps.window.unsettled_bytes_max = 100;
    deps.stream = "S";
    tested = adopt(sys.spawn(puller, deps));
    run();
  }

  ~fixture() override {
    log.close();
    tested = nullptr;
    sink.source = nullptr;
  }

  void start(uint64_t from = 0, std::string life = {}) {
    caf::anon_send(tested, start_pulling{position{from}, std::move(life)});
    run();
  }

  void opened(uint64_t first, uint64_t last, std::string life = "t1") {
    log.opened(first, last, std::move(life));
    run();
  }

  void pull(uint64_t from, uint64_t to, size_t body_size = 10) {
    std::vector<event_spec> events;
    for (auto pos = from + 1; pos <= to; ++pos)
      events.push_back({pos, event_class::critical, body_size});
    log.to.on_pull(log.attempt, make_pull(0, from, to, events));
    run();
  }

  void end(request_end what) {
    log.to.on_request_end(log.attempt, what);
    run();
  }

  std::vector<std::string> heard() { return std::exchange(sink.heard, {}); }
};

using words = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(puller_tests, fixture)

CAF_TEST(it_opens_behind_the_start_and_keeps_two_requests) {
  start(7, "t1");
  CAF_CHECK(log.opened_from == std::vector{position{7}});
  CAF_CHECK(log.requests.empty());
  opened(1, 20);
  CAF_CHECK_EQUAL(log.requests.size(), 2u);
  CAF_CHECK_EQUAL(heard(), words{"found"});
}

CAF_TEST(a_consumer_that_only_promises_what_is_there_is_made_anew) {
  start();
  opened(1, 20);
  for (int second = 0; second < 6; ++second) {
    end(request_end::heartbeat);
    pass(1s);
  }
  CAF_CHECK_EQUAL(log.opened_from.size(), 2u);
  opened(1, 20);
  pull(0, 20, 1);
  // Now there is nothing that could come.
  for (int second = 0; second < 6; ++second) {
    end(request_end::heartbeat);
    pass(1s);
  }
  CAF_CHECK_EQUAL(log.opened_from.size(), 2u);
}

CAF_TEST(pulls_are_handed_on_in_order_and_credit_holds_requests_back) {
  start();
  opened(1, 20);
  pull(0, 10);
  CAF_CHECK_EQUAL(heard(), (words{"found", "pulled to 10"}));
  CAF_CHECK_EQUAL(log.requests.size(), 2u);
  pull(10, 20);
  CAF_CHECK_EQUAL(heard(), (words{"pulled to 20", "stalled"}));
  CAF_CHECK_EQUAL(log.requests.size(), 2u);
  caf::anon_send(tested, pull_settled{300});
  run();
  CAF_CHECK_EQUAL(log.requests.size(), 4u);
}

CAF_TEST(events_of_an_older_attempt_are_ignored) {
  start();
  opened(1, 20);
  auto old = log.attempt;
  end(request_end::broken);
  CAF_CHECK_EQUAL(log.opened_from.size(), 2u);
  heard();
  log.to.on_pull(old, make_pull(0, 0, 1, {{1}}));
  log.to.on_opened(old, {"t1", position{1}, position{1}});
  log.to.on_request_end(old, request_end::broken);
  log.to.on_failed(old, {});
  run();
  CAF_CHECK(heard().empty());
  CAF_CHECK_EQUAL(log.opened_from.size(), 2u);
}

CAF_TEST(a_failed_open_is_repeated_after_a_pause) {
  start();
  log.to.on_failed(log.attempt, {false, "no answer"});
  run();
  CAF_CHECK_EQUAL(log.opened_from.size(), 1u);
  CAF_CHECK_EQUAL(heard(), words{"stalled"});
  pass(100ms);
  CAF_CHECK_EQUAL(log.opened_from.size(), 1u);
  pass(150ms);
  CAF_CHECK_EQUAL(log.opened_from.size(), 2u);
  CAF_CHECK_EQUAL(log.restored, 0);
}

CAF_TEST(a_missing_stream_is_made_again_once_its_files_are_gone) {
  start();
  log.to.on_failed(log.attempt, {true, "stream not found"});
  run();
  pass(900ms);
  CAF_CHECK_EQUAL(log.opened_from.size(), 1u);
  CAF_CHECK_EQUAL(log.restored, 0);
  pass(200ms);
  CAF_CHECK_EQUAL(log.opened_from.size(), 2u);
  log.to.on_failed(log.attempt, {true, "stream not found"});
  run();
  CAF_CHECK_EQUAL(log.restored, 1);
}

CAF_TEST(an_open_without_an_answer_is_repeated) {
  start();
  pass(7s);
  CAF_CHECK_EQUAL(log.opened_from.size(), 2u);
}

CAF_TEST(a_lost_link_leads_to_a_new_consumer_behind_what_was_received) {
  start();
  opened(1, 20);
  pull(0, 4);
  log.to.on_link_down();
  run();
  CAF_CHECK(heard().back() == "stalled");
  log.to.on_link_up();
  run();
  CAF_CHECK(log.opened_from.back() == position{4});
  opened(1, 20);
  CAF_CHECK_EQUAL(log.requests.size(), 4u);
}

CAF_TEST(a_silent_consumer_is_made_anew) {
  start();
  opened(1, 0);
  pass(3s);
  end(request_end::heartbeat);
  pass(3s);
  CAF_CHECK_EQUAL(log.opened_from.size(), 1u);
  pass(2s);
  CAF_CHECK_EQUAL(log.opened_from.size(), 2u);
  CAF_CHECK(reports.has("consumer-silent"));
}

CAF_TEST(a_heartbeat_does_not_end_a_request) {
  start();
  opened(1, 20);
  for (int i = 0; i < 5; ++i)
    end(request_end::heartbeat);
  CAF_CHECK_EQUAL(log.requests.size(), 2u);
  end(request_end::expired);
  CAF_CHECK_EQUAL(log.requests.size(), 3u);
}

CAF_TEST(a_refused_request_waits_for_the_next_tick) {
  start();
  opened(1, 20);
  end(request_end::refused);
  CAF_CHECK_EQUAL(log.requests.size(), 2u);
  pass(20ms);
  CAF_CHECK_EQUAL(log.requests.size(), 3u);
}

CAF_TEST(positions_that_are_gone_are_reported_as_lost) {
  start(5, "t1");
  opened(9, 20);
  CAF_CHECK_EQUAL(heard(), (words{"lost 5 to 8", "found"}));
  CAF_CHECK(reports.has("positions-lost"));
  pull(8, 9);
  end(request_end::broken);
  CAF_CHECK(log.opened_from.back() == position{9});
}

CAF_TEST(a_log_that_was_never_read_has_lost_nothing_at_its_head) {
  start();
  opened(9, 20);
  CAF_CHECK_EQUAL(heard(), words{"found"});
  end(request_end::broken);
  CAF_CHECK(log.opened_from.back() == position{8});
}

CAF_TEST(another_life_of_the_stream_is_read_from_its_beginning) {
  start(15, "t1");
  opened(1, 20, "t2");
  CAF_CHECK_EQUAL(heard(), words{"restarted"});
  CAF_CHECK(log.opened_from.back() == position{0});
  opened(1, 20, "t2");
  CAF_CHECK_EQUAL(heard(), words{"found"});
  // The same life, but shorter than what was read of it.
  pull(0, 10);
  end(request_end::broken);
  heard();
  opened(1, 5, "t2");
  CAF_CHECK_EQUAL(heard(), words{"restarted"});
}

CAF_TEST_FIXTURE_SCOPE_END()
