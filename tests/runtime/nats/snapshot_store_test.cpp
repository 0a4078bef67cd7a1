// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.nats.snapshot_store

#include "core/snapshot/byte_writer.hpp"
#include "core/subject.hpp"
#include "runtime/boot/embedded_server.hpp"
#include "runtime/nats/snapshot_store.hpp"
#include "tests/runtime/boot/scratch_directory.hpp"

#include "caf/test/unit_test.hpp"

#include <future>

using namespace fantail;
using namespace fantail::nats;
using namespace std::chrono_literals;

namespace {

constexpr snapshot_source of{snapshot_source::kind::routing, 0};

struct ignored_reports final : report_port {
  void report(severity, std::string_view, std::string_view, fields) override {
    // What goes wrong shows up in the results.
  }
};

struct fixture {
  scratch_directory scratch;
  ignored_reports reports;
  std::unique_ptr<embedded_server> server;
  event_loop loop{"test-snap"};
  std::unique_ptr<connection> via;
  std::unique_ptr<snapshot_store> store;
  uint64_t ids = 0;

  fixture() {
    embedded_server_config config;
    config.state_directory = scratch.path + "/state";
    config.store_bytes_max = 256 << 20;
    config.shards = 1;
    if (auto* program = std::getenv("FANTAIL_NATS_SERVER"))
      config.program = program;
    auto started = embedded_server::start(config);
    if (auto* why = std::get_if<std::string>(&started))
      CAF_FAIL("the server did not start: " + *why);
    server = std::move(std::get<0>(started));
    via = std::make_unique<connection>(loop, options());
    via->start();
    store = std::make_unique<snapshot_store>(loop, options(), reports);
    CAF_REQUIRE(via->wait_up(10s) && store->start(10s));
    make_stream(64 << 20);
  }

  ~fixture() {
    store->stop();
    via = nullptr;
  }

  connect_options options() const {
    connect_options result;
    result.url = server->url();
    return result;
  }

  void make_stream(int64_t bytes_max) {
    stream_config config;
    config.name = snapshot_stream_name(of);
    config.subjects = {snapshot_subject(of)};
    config.allow_direct = true;
    config.bytes_max = bytes_max;
    auto made = wait_for<stream_ensured>(
        [&](auto handler) { ensure_stream(*via, config, handler); });
    CAF_REQUIRE_EQUAL(made.index(), 0u);
  }

  uint64_t append(std::string part) {
    std::promise<uint64_t> done;
    store->append(of, std::move(part),
                  [&](uint64_t sequence) { done.set_value(sequence); });
    return done.get_future().get();
  }

  snapshot_writer writer_of(char mark, size_t size) {
    byte_writer out{limits::snapshot_part_bytes, snapshot_part_head};
    std::string image(size, mark);
    out.copy_from(image.data(), image.size());
    return {of, ++ids, {}, out.take()};
  }

  /// Writes a snapshot, but for the part with number `damaged`, in which a
  /// byte is flipped, and for all behind `parts`.
  uint64_t write(char mark, size_t size, size_t parts = SIZE_MAX,
                 size_t damaged = SIZE_MAX) {
    auto writer = writer_of(mark, size);
    uint64_t last = 0;
    for (size_t i = 0; i < parts; ++i) {
      auto part = writer.next(0);
      if (!part)
        break;
      if (i == damaged)
        part->back() ^= 1;
      last = append(std::move(*part));
      CAF_REQUIRE(last > 0);
      writer.stored(last);
    }
    return last;
  }

  snapshot_store::search_result search() {
    auto outcome = store->search(of, 8);
    CAF_REQUIRE_EQUAL(outcome.index(), 0u);
    return std::get<0>(std::move(outcome));
  }

  /// Marks of the good snapshots, newest first.
  std::string good(size_t size) {
    std::string result;
    for (auto& x : search().found) {
      auto parts = store->read(x);
      CAF_REQUIRE_EQUAL(parts.index(), 0u);
      auto in = std::get<0>(parts).image();
      std::string image(in.left(), '\0');
      in.copy_to(image.data(), image.size());
      if (in.ok() && image == std::string(size, image.front()))
        result += image.front();
    }
    return result;
  }

  stream_state state() {
    auto x = wait_for<stream_state>([&](auto handler) {
      read_stream_state(*via, snapshot_stream_name(of), handler);
    });
    CAF_REQUIRE_EQUAL(x.index(), 0u);
    return std::get<0>(std::move(x));
  }
};

constexpr size_t large = 5'000'000;

} // namespace

CAF_TEST_FIXTURE_SCOPE(snapshot_store_tests, fixture)

CAF_TEST(an empty stream holds no snapshot) {
  CAF_CHECK(search().found.empty());
  CAF_CHECK(search().problems.empty());
}

CAF_TEST(snapshots of many parts come back) {
  write('a', large);
  write('b', large);
  CAF_CHECK_EQUAL(state().messages, 24u);
  CAF_CHECK_EQUAL(good(large), "ba");
}

CAF_TEST(damaged and half written ones are told and passed over) {
  write('a', large);
  write('b', large, SIZE_MAX, 4);
  write('c', large, 6);
  auto found = search();
  CAF_CHECK_EQUAL(found.found.size(), 2u);
  CAF_CHECK_EQUAL(found.problems.size(), 1u);
  CAF_CHECK_EQUAL(good(large), "a");
  // The trailer itself.
  write('d', large, SIZE_MAX, 11);
  CAF_CHECK_EQUAL(good(large), "a");
}

CAF_TEST(a part that is gone makes a snapshot worthless) {
  write('a', large);
  auto last = write('b', large);
  auto body = "{\"seq\":" + std::to_string(last - 3) + "}";
  CAF_REQUIRE(via->request_wait(
      "$JS.API.STREAM.MSG.DELETE." + snapshot_stream_name(of), body, 5s));
  CAF_CHECK_EQUAL(good(large), "a");
}

CAF_TEST(the head is trimmed and the rest stays) {
  auto first = write('a', large);
  write('b', large);
  store->trim(of, first + 1);
  for (int i = 0; i < 500 && state().first <= first; ++i)
    std::this_thread::sleep_for(10ms);
  CAF_CHECK_EQUAL(state().first, first + 1);
  CAF_CHECK_EQUAL(good(large), "b");
}

CAF_TEST(a stream that is trimmed before its beginning stays whole) {
  write('a', large);
  store->trim(of, 1);
  // Sent on the same link, so what became of the trimming is known then.
  write('b', large);
  CAF_CHECK_EQUAL(state().first, 1u);
  CAF_CHECK_EQUAL(good(large), "ba");
}

CAF_TEST(a log is trimmed up to and with a position) {
  stream_config config;
  config.name = subjects::presence_stream(0);
  config.subjects = {subjects::presence_prefix(0) + "*"};
  auto made = wait_for<stream_ensured>(
      [&](auto handler) { ensure_stream(*via, config, handler); });
  CAF_REQUIRE_EQUAL(made.index(), 0u);
  for (int i = 0; i < 10; ++i)
    CAF_REQUIRE(
        via->request_wait(subjects::presence_prefix(0) + "u", "{}", 5s));
  auto first = [&] {
    auto x = wait_for<stream_state>(
        [&](auto handler) { read_stream_state(*via, config.name, handler); });
    return std::get<0>(x).first;
  };
  store->trim_log(presence_shard_id{0}, position{4});
  for (int i = 0; i < 500 && first() < 5; ++i)
    std::this_thread::sleep_for(10ms);
  CAF_CHECK_EQUAL(first(), 5u);
  // All of it: the log goes on behind what was there.
  store->trim_log(presence_shard_id{0}, position{10});
  for (int i = 0; i < 500 && first() < 11; ++i)
    std::this_thread::sleep_for(10ms);
  CAF_CHECK_EQUAL(first(), 11u);
}

CAF_TEST(a full stream refuses a part) {
  std::string part(400'000, 'x');
  uint64_t stored = 0;
  while (stored < 1'000 && append(part) > 0)
    ++stored;
  CAF_CHECK(stored > 100 && stored < 200);
}

CAF_TEST(nothing is appended after a stop) {
  store->stop();
  CAF_CHECK_EQUAL(append("part"), 0u);
  store->trim(of, 5);
}

CAF_TEST_FIXTURE_SCOPE_END()
