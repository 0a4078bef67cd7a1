// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.nats.member_store

#include "core/membership/member_record.hpp"
#include "core/subject.hpp"
#include "runtime/nats/jetstream.hpp"
#include "runtime/nats/member_store.hpp"
#include "tests/client/private_server.hpp"
#include "tests/runtime/boot/scratch_directory.hpp"

#include "caf/test/unit_test.hpp"

#include <future>
#include <memory>
#include <string>
#include <vector>

using namespace fantail;
using namespace fantail::nats;
using namespace std::chrono_literals;

namespace {

constexpr presence_shard_id shard{0};

std::string record_of(const std::string& user, uint64_t version,
                      size_t channels = 3) {
  channel_list list;
  for (size_t i = 0; i < channels; ++i)
    list.push_back("ch_" + std::to_string(100'000 + i));
  auto record = member_record::encode(user, log_position{version}, list);
  CAF_REQUIRE(record);
  return *record;
}

struct fixture {
  scratch_directory scratch;
  test::private_server server{scratch.path};
  event_loop loop{"test-members"};
  std::unique_ptr<connection> via;
  std::unique_ptr<member_store> store;

  fixture() {
    via = std::make_unique<connection>(loop, server.options());
    via->start();
    store = std::make_unique<member_store>(loop, server.options(), "n1-1");
    store->start();
    CAF_REQUIRE(via->wait_up(10s) && store->on().wait_up(10s));
    stream_config config;
    config.name = subjects::members_stream(shard.value);
    config.subjects = {subjects::members_subject(shard.value)};
    config.allow_direct = true;
    auto made = wait_for<stream_ensured>(
        [&](auto handler) { ensure_stream(*via, config, handler); });
    CAF_REQUIRE_EQUAL(made.index(), 0u);
  }

  ~fixture() { store->stop(); }

  uint64_t append(const std::string& record) {
    std::promise<uint64_t> done;
    store->append(shard, record,
                  [&](uint64_t sequence) { done.set_value(sequence); });
    return done.get_future().get();
  }

  /// All batches of a scan as one.
  member_batch scan(uint64_t behind) {
    std::promise<member_batch> done;
    auto all = std::make_shared<member_batch>();
    store->scan(shard, behind, [&done, all](member_batch x) {
      all->records.insert(all->records.end(), x.records.begin(),
                          x.records.end());
      all->is_other_stream = all->is_other_stream || x.is_other_stream;
      all->is_last = x.is_last;
      all->has_failed = x.has_failed;
      if (x.is_last || x.has_failed)
        done.set_value(*all);
    });
    return done.get_future().get();
  }

  std::pair<member_read_result, std::string> read(uint64_t sequence) {
    std::promise<std::pair<member_read_result, std::string>> done;
    store->read(shard, sequence,
                [&](member_read_result what, std::string record) {
                  done.set_value({what, std::move(record)});
                });
    return done.get_future().get();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(member_store_tests, fixture)

CAF_TEST(a_scan_hands_out_every_record_once_in_order) {
  // More than one request and more than one batch.
  constexpr uint64_t count = 2'100;
  std::promise<void> stored;
  std::atomic<uint64_t> missing = count, failed = 0;
  for (uint64_t i = 1; i <= count; ++i)
    store->append(shard, record_of("user-" + std::to_string(i), i),
                  [&](uint64_t sequence) {
                    failed += sequence == 0;
                    if (--missing == 0)
                      stored.set_value();
                  });
  stored.get_future().wait();
  CAF_CHECK_EQUAL(failed, 0u);
  auto all = scan(0);
  CAF_CHECK(all.is_last && !all.has_failed && !all.is_other_stream);
  CAF_REQUIRE_EQUAL(all.records.size(), count);
  for (uint64_t i = 1; i <= count; ++i) {
    auto& stub = all.records[i - 1];
    CAF_REQUIRE_EQUAL(stub.sequence, i);
    CAF_REQUIRE_EQUAL(stub.user, "user-" + std::to_string(i));
    CAF_REQUIRE_EQUAL(stub.version.value, i);
    CAF_REQUIRE_EQUAL(stub.digest.count, 3u);
  }
  auto rest = scan(count - 5);
  CAF_REQUIRE_EQUAL(rest.records.size(), 5u);
  CAF_CHECK_EQUAL(rest.records[0].sequence, count - 4);
}

CAF_TEST(a_large_record_is_read_as_it_was_written) {
  auto record = record_of("alice", 7, 10'000);
  auto sequence = append(record);
  auto [what, found] = read(sequence);
  CAF_CHECK(what == member_read_result::found);
  CAF_CHECK(found == record);
}

CAF_TEST(what_was_purged_is_missing_and_the_rest_is_there) {
  for (uint64_t i = 1; i <= 6; ++i)
    CAF_REQUIRE_EQUAL(append(record_of("user-" + std::to_string(i), i)), i);
  store->purge(shard, 4);
  // The purge travels ahead of the scan on the same connection.
  auto all = scan(0);
  CAF_REQUIRE_EQUAL(all.records.size(), 3u);
  CAF_CHECK_EQUAL(all.records[0].sequence, 4u);
  CAF_CHECK(read(3).first == member_read_result::missing);
  CAF_CHECK(read(4).first == member_read_result::found);
}

CAF_TEST(a_scan_of_nothing_ends_at_once) {
  auto all = scan(0);
  CAF_CHECK(all.is_last && !all.has_failed && !all.is_other_stream);
  CAF_CHECK(all.records.empty());
  append(record_of("alice", 1));
  all = scan(1);
  CAF_CHECK(all.is_last && !all.is_other_stream && all.records.empty());
}

CAF_TEST(a_stream_that_ends_before_what_is_known_is_another_one) {
  append(record_of("alice", 1));
  auto all = scan(5);
  CAF_CHECK(all.is_last && all.is_other_stream && all.records.empty());
}

CAF_TEST(a_damaged_record_has_a_place_but_no_user) {
  auto record = record_of("alice", 1);
  record.back() ^= 1;
  append(record);
  append(record_of("bob", 2));
  auto all = scan(0);
  CAF_REQUIRE_EQUAL(all.records.size(), 2u);
  CAF_CHECK_EQUAL(all.records[0].user, "");
  CAF_CHECK_EQUAL(all.records[0].sequence, 1u);
  CAF_CHECK_EQUAL(all.records[1].user, "bob");
}

CAF_TEST(without_a_server_everything_is_answered_as_unknown) {
  append(record_of("alice", 1));
  server.kill();
  for (int i = 0; i < 1'000 && store->on().is_up(); ++i)
    std::this_thread::sleep_for(10ms);
  CAF_CHECK(scan(0).has_failed);
  CAF_CHECK_EQUAL(append(record_of("bob", 2)), 0u);
  CAF_CHECK(read(1).first == member_read_result::unanswered);
  server.restart();
  CAF_REQUIRE(store->on().wait_up(30s));
  CAF_CHECK(read(1).first == member_read_result::found);
  CAF_CHECK_EQUAL(scan(0).records.size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
