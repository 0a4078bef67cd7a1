// SPDX-License-Identifier: MIT
#define CAF_SUITE api.event_stream

#include "api/event_stream.hpp"
#include "core/limits.hpp"

#include "caf/test/unit_test.hpp"

#include <vector>

using namespace fantail;
using namespace std::chrono_literals;

namespace {

struct still_clock final : clock_port {
  time_point time{1h};
  time_point now() const noexcept override { return time; }
};

struct fixture {
  event_log log;
  still_clock clock;
  viewer_count viewers;

  http_stream watch(event_wish wish = {}) {
    return stream_events(log, clock, std::move(wish), viewers.enter());
  }
  void happen(std::string_view event) {
    log.add(report_port::severity::info, "x", event, {{"actor", "a/b"}}, 9);
  }
  static bool contains(const std::optional<std::string>& text,
                       std::string_view part) {
    return text && text->find(part) != std::string::npos;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(tests, fixture)

CAF_TEST(events come as they happen) {
  auto next = watch();
  CAF_CHECK_EQUAL(next().value_or("nothing"), "");
  happen("actor-stuck");
  CAF_CHECK_EQUAL(
      next().value_or("nothing"),
      "id: 1\nevent: actor-stuck\ndata: {\"actor\":\"a/b\",\"at_unix_ns\":9,"
      "\"detail\":\"x actor-stuck actor=a/b\",\"fields\":{\"actor\":\"a/b\","
      "\"component\":\"x\",\"event\":\"actor-stuck\"},\"id\":1,\"kind\":"
      "\"actor-stuck\",\"severity\":\"info\"}\n\n");
  CAF_CHECK_EQUAL(next().value_or("nothing"), "");
}

CAF_TEST(a viewer chooses kinds and goes on where it was) {
  for (auto* x : {"actor-stuck", "child-failed", "ready"})
    happen(x);
  event_wish wish;
  wish.since = 1;
  wish.kinds = {"actor-stuck", "report"};
  auto next = watch(wish);
  auto text = next();
  CAF_CHECK(contains(text, "id: 3\nevent: report"));
  CAF_CHECK(!contains(text, "child-failed"));
  CAF_CHECK(!contains(text, "actor-stuck"));
}

CAF_TEST(a viewer of an earlier life gets all that is remembered) {
  happen("ready");
  event_wish wish;
  wish.since = 1'000;
  CAF_CHECK(contains(watch(wish)(), "id: 1\n"));
}

CAF_TEST(a silent stream shows that it lives) {
  auto next = watch();
  CAF_CHECK_EQUAL(next().value_or("nothing"), "");
  clock.time += 5s;
  CAF_CHECK(contains(next(), ": nothing happened\n\n"));
  CAF_CHECK_EQUAL(next().value_or("nothing"), "");
}

CAF_TEST(a stream ends when its time is over) {
  event_wish wish;
  wish.until = clock.time + 3s;
  auto next = watch(wish);
  clock.time += 2s;
  CAF_CHECK(next().has_value());
  clock.time += 1s;
  CAF_CHECK(!next().has_value());
}

CAF_TEST(the number of viewers is bounded and a place is given back) {
  std::vector<http_stream> all;
  for (size_t i = 0; i < limits::stream_viewers_max; ++i)
    all.push_back(watch());
  CAF_CHECK(!viewers.enter());
  all.pop_back();
  CAF_CHECK(viewers.enter());
}

CAF_TEST_FIXTURE_SCOPE_END()
