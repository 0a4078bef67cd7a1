// SPDX-License-Identifier: MIT
#define CAF_SUITE core.snapshot.snapshot_rounds

#include "core/snapshot/snapshot_rounds.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;
using namespace std::chrono_literals;

namespace {

struct fixture {
  time_point now{1h};
  snapshot_rounds rounds;
  uint64_t records = 0;
  uint64_t bytes = 0;

  fixture() : rounds(config(), now) {}

  static snapshot_rounds_config config() {
    snapshot_rounds_config result;
    result.shards = 1;
    result.presence_shards = 1;
    result.records = 1'000;
    result.bytes = 100;
    result.bytes_max = 5'000;
    result.interval = 10min;
    return result;
  }

  void grow(uint64_t by_records, uint64_t by_bytes) {
    records += by_records;
    bytes += by_bytes;
    rounds.grown(
        {presence_shard_id{0}, {log_life{7}, log_position{records}}, 0, bytes});
  }

  /// Writes what is due; `image_bytes` each. Returns how many snapshots.
  int write_all(uint64_t image_bytes) {
    int result = 0;
    while (auto of = rounds.next(now)) {
      stored_snapshot x;
      x.of = *of;
      x.about.image_bytes = image_bytes;
      x.about.logs.emplace_back(
          presence_shard_id{0},
          log_progress{log_life{7}, log_position{records}});
      rounds.written(std::move(x));
      ++result;
    }
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(snapshot_rounds_tests, fixture)

CAF_TEST(a_round_begins_when_a_log_has_grown) {
  grow(5, 99);
  CAF_CHECK_EQUAL(write_all(10), 0);
  grow(1, 1);
  CAF_CHECK_EQUAL(write_all(10), 2);
  grow(999, 50);
  CAF_CHECK_EQUAL(write_all(10), 0);
  grow(1, 0);
  CAF_CHECK_EQUAL(write_all(10), 2);
}

CAF_TEST(a_round_is_not_worth_it_before_the_log_has_grown_by_its_bytes) {
  grow(1, 100);
  CAF_CHECK_EQUAL(write_all(400), 2);
  grow(1, 799);
  CAF_CHECK_EQUAL(write_all(400), 0);
  grow(1, 1);
  CAF_CHECK_EQUAL(write_all(30), 2);
  // The images have become small: the configured bytes count again.
  grow(1, 100);
  CAF_CHECK_EQUAL(write_all(30), 2);
}

CAF_TEST(a_log_does_not_grow_beyond_what_its_stream_holds) {
  grow(1, 100);
  CAF_CHECK_EQUAL(write_all(1'000'000), 2);
  grow(1, 4'999);
  CAF_CHECK_EQUAL(write_all(1'000'000), 0);
  grow(1, 1);
  CAF_CHECK_EQUAL(write_all(1'000'000), 2);
}

CAF_TEST(time_alone_is_enough_if_a_log_has_grown_at_all) {
  now += 10min;
  CAF_CHECK_EQUAL(write_all(10), 0);
  grow(1, 1);
  CAF_CHECK_EQUAL(write_all(1'000'000), 2);
  now += 9min;
  grow(1, 1);
  CAF_CHECK_EQUAL(write_all(10), 0);
  now += 1min;
  CAF_CHECK_EQUAL(write_all(10), 2);
}

CAF_TEST_FIXTURE_SCOPE_END()
