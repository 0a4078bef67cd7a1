// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.nats.jetstream

#include "runtime/boot/embedded_server.hpp"
#include "runtime/nats/jetstream.hpp"
#include "runtime/nats/ownership.hpp"
#include "runtime/nats/range_reader.hpp"
#include "tests/runtime/boot/scratch_directory.hpp"

#include "caf/test/unit_test.hpp"

#include <future>
#include <mutex>

using namespace fantail;
using namespace fantail::nats;

namespace {

struct fixture {
  scratch_directory scratch;
  std::unique_ptr<embedded_server> server;
  event_loop loop{"test-js"};
  std::unique_ptr<connection> via;

  fixture() {
    embedded_server_config config;
    config.state_directory = scratch.path + "/state";
    config.store_bytes_max = 256 << 20;
    config.shards = 1;
    auto started = embedded_server::start(config);
    if (auto* why = std::get_if<std::string>(&started))
      CAF_FAIL("the server did not start: " + *why);
    server = std::move(std::get<0>(started));
    connect_options options;
    options.url = server->url();
    via = std::make_unique<connection>(loop, options);
    via->start();
    CAF_REQUIRE(via->wait_up(10s));
  }

  ~fixture() { via = nullptr; }

  /// Waits for a call; fails the test if the server refused.
  template <class T, class Call>
  T done(Call call) {
    auto result = wait_for<T>(call);
    if (auto* error = std::get_if<api_error>(&result))
      CAF_FAIL("refused: " + std::to_string(error->code) + " " + error->text);
    return std::move(std::get<0>(result));
  }

  stream_ensured ensure(const stream_config& config) {
    return done<stream_ensured>(
        [&](auto handler) { ensure_stream(*via, config, handler); });
  }

  stream_config shard_config() {
    stream_config result;
    result.name = "FANTAIL_IN_0";
    result.subjects = {"fantail.in.0.*"};
    result.in_memory = true;
    result.bytes_max = 1 << 20;
    result.duplicate_window = 2min;
    return result;
  }

  publish_ack publish(std::string_view subject, std::string_view body,
                      std::string_view headers = {}) {
    std::promise<publish_ack> result;
    publish_with_ack(*via, subject, body, headers, 5s,
                     [&](publish_ack x) { result.set_value(std::move(x)); });
    return result.get_future().get();
  }

  void fill(int count) {
    for (int i = 1; i <= count; ++i)
      CAF_REQUIRE(
          !publish("fantail.in.0.c" + std::to_string(i % 3), std::to_string(i))
               .error);
  }

  api_result<fantail::epoch> claim(uint64_t known) {
    return wait_for<fantail::epoch>([&](auto handler) {
      claim_epoch(*via, shard_id{0}, fantail::epoch{known}, "me", handler);
    });
  }

  bool is_owner(uint64_t owner) {
    return done<bool>([&](auto handler) {
      is_still_owner(*via, shard_id{0}, fantail::epoch{owner}, handler);
    });
  }

  range_reader_port::result range(uint64_t from, uint64_t to,
                                  size_t bytes = 1 << 20) {
    range_reader reader{*via, "life" + std::to_string(++lives)};
    std::promise<range_reader_port::result> result;
    reader.read(shard_id{0}, position{from}, position{to}, bytes,
                [&](auto x) { result.set_value(std::move(x)); });
    return result.get_future().get();
  }

  int lives = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(jetstream_tests, fixture)

CAF_TEST(a_stream_is_made_once) {
  auto first = ensure(shard_config());
  CAF_CHECK(first.was_created);
  CAF_CHECK(first.state.in_memory);
  CAF_CHECK(!first.state.created_at.empty());
  auto second = ensure(shard_config());
  CAF_CHECK(!second.was_created);
  CAF_CHECK_EQUAL(second.state.created_at, first.state.created_at);
  auto missing = wait_for<stream_state>(
      [&](auto handler) { read_stream_state(*via, "NO_SUCH", handler); });
  CAF_REQUIRE_EQUAL(missing.index(), 1u);
  CAF_CHECK_EQUAL(std::get<api_error>(missing).code,
                  api_code::stream_not_found);
}

CAF_TEST(a_publish_is_acknowledged_once_and_a_repeat_is_told) {
  ensure(shard_config());
  auto* headers = "NATS/1.0\r\nNats-Msg-Id: e1\r\n\r\n";
  auto first = publish("messages.send.general", "a", headers);
  CAF_REQUIRE(!first.error);
  CAF_CHECK_EQUAL(first.sequence, 1u);
  CAF_CHECK(!first.duplicate);
  auto second = publish("messages.send.general", "a", headers);
  CAF_CHECK_EQUAL(second.sequence, 1u);
  CAF_CHECK(second.duplicate);
}

CAF_TEST(a_full_stream_refuses_and_keeps_what_it_has) {
  auto config = shard_config();
  config.bytes_max = 10'000;
  ensure(config);
  std::string body(3'000, 'x');
  publish_ack ack;
  for (int i = 0; i < 5 && !ack.error; ++i)
    ack = publish("fantail.in.0.general", body);
  CAF_REQUIRE(ack.error.has_value());
  CAF_CHECK_EQUAL(ack.error->code, api_code::maximum_bytes);
  auto state = ensure(config).state;
  CAF_CHECK_EQUAL(state.first, 1u);
  CAF_CHECK_EQUAL(state.last, 3u);
}

CAF_TEST(without_a_stream_the_outcome_is_unknown) {
  auto ack = publish("nobody.listens", "x");
  CAF_REQUIRE(ack.error.has_value());
  CAF_CHECK_EQUAL(ack.error->code, api_code::none);
}

CAF_TEST(a_pull_brings_events_and_heartbeats_do_not_end_it) {
  ensure(shard_config());
  fill(3);
  done<std::monostate>([&](auto handler) {
    create_consumer(*via, {"FANTAIL_IN_0", "c1", 2}, handler);
  });
  std::mutex mutex;
  std::vector<uint64_t> sequences;
  int heartbeats = 0, ends = 0;
  auto inbox = via->new_inbox();
  via->subscribe(inbox, [&](const message& x) {
    std::lock_guard guard{mutex};
    if (auto info = parse_delivery(x.reply))
      sequences.push_back(info->stream_sequence);
    else if (x.status() == "100")
      ++heartbeats;
    else
      ++ends;
  });
  auto eventually = [&](auto condition) {
    for (int i = 0; i < 1'000; ++i) {
      {
        std::lock_guard guard{mutex};
        if (condition())
          return true;
      }
      std::this_thread::sleep_for(10ms);
    }
    return false;
  };
  CAF_REQUIRE(request_pull(*via, "FANTAIL_IN_0", "c1", inbox, 10, 3s, 300ms));
  CAF_CHECK(eventually([&] { return heartbeats >= 2; }));
  {
    std::lock_guard guard{mutex};
    CAF_CHECK_EQUAL(ends, 0);
    CAF_CHECK_EQUAL(sequences, (std::vector<uint64_t>{2, 3}));
  }
  // The request goes on behind the heartbeats.
  fill(1);
  CAF_CHECK(eventually([&] { return sequences.size() == 3; }));
  CAF_CHECK(eventually([&] { return ends == 1; }));
  via->unsubscribe(inbox);
}

CAF_TEST(of_two_claims_one_gets_the_epoch_and_the_other_the_next) {
  ensure(meta_stream(true));
  std::promise<api_result<fantail::epoch>> a, b;
  for (auto* x : {&a, &b})
    claim_epoch(*via, shard_id{0}, fantail::epoch{0}, "me",
                [x](auto claimed) { x->set_value(std::move(claimed)); });
  auto first = std::get<fantail::epoch>(a.get_future().get());
  auto second = std::get<fantail::epoch>(b.get_future().get());
  CAF_CHECK_EQUAL(first.value + second.value, 3u);
  CAF_CHECK(!is_owner(1));
  CAF_CHECK(is_owner(2));
  auto third = claim(0);
  CAF_REQUIRE_EQUAL(third.index(), 0u);
  CAF_CHECK(std::get<0>(third) == fantail::epoch{3});
}

CAF_TEST(a_checkpoint_is_read_back) {
  ensure(meta_stream(true));
  auto read = [&] {
    return done<shard_checkpoint>(
        [&](auto handler) { read_checkpoint(*via, shard_id{7}, handler); });
  };
  CAF_CHECK_EQUAL(read().settled.value, 0u);
  write_checkpoint(*via, shard_id{7},
                   {fantail::epoch{4}, position{1'041}, "t1"});
  for (int i = 0; i < 200 && read().settled.value == 0; ++i)
    std::this_thread::sleep_for(10ms);
  auto got = read();
  CAF_CHECK(got.owner == fantail::epoch{4});
  CAF_CHECK(got.settled == position{1'041});
  CAF_CHECK_EQUAL(got.created_at, "t1");
}

CAF_TEST(a_range_is_read_again) {
  ensure(shard_config());
  fill(20);
  auto got = range(5, 12);
  CAF_REQUIRE(got.events);
  CAF_CHECK(got.events->from == position{5});
  CAF_CHECK(got.events->to == position{12});
  CAF_REQUIRE_EQUAL(got.events->size(), 7u);
  CAF_CHECK_EQUAL((*got.events)[0].body, "6");
  CAF_CHECK_EQUAL((*got.events)[0].channel, "c0");
  // Beyond the end of the stream it ends with the stream.
  got = range(15, 100);
  CAF_REQUIRE(got.events);
  CAF_CHECK(got.events->to == position{20});
  CAF_CHECK_EQUAL(got.events->size(), 5u);
  // A long one comes in parts.
  got = range(0, 20, 4);
  CAF_REQUIRE(got.events);
  CAF_CHECK(got.events->to < position{20});
}

CAF_TEST(a_range_whose_head_is_gone_says_where_the_stream_begins) {
  ensure(shard_config());
  fill(20);
  via->request_wait("$JS.API.STREAM.PURGE.FANTAIL_IN_0", R"({"seq":10})", 5s);
  auto got = range(5, 12);
  CAF_CHECK(!got.events);
  CAF_CHECK(got.first == position{10});
  CAF_CHECK(range(9, 12).events != nullptr);
}

CAF_TEST(a_range_with_an_empty_middle_speaks_for_all_of_it) {
  ensure(shard_config());
  fill(10);
  for (auto* body : {R"({"seq":5})", R"({"seq":6})", R"({"seq":7})"})
    via->request_wait("$JS.API.STREAM.MSG.DELETE.FANTAIL_IN_0", body, 5s);
  for (auto [from, to, size] :
       {std::array{3, 9, 3}, std::array{4, 7, 0}, std::array{4, 6, 0}}) {
    auto got = range(static_cast<uint64_t>(from), static_cast<uint64_t>(to));
    CAF_REQUIRE(got.events);
    CAF_CHECK(got.events->to == position{static_cast<uint64_t>(to)});
    CAF_CHECK_EQUAL(got.events->size(), static_cast<size_t>(size));
  }
}

CAF_TEST(a_range_of_a_missing_stream_fails) {
  auto got = range(0, 5);
  CAF_CHECK(!got.events);
  CAF_CHECK(got.first == position{0});
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(acknowledgements_are_read_without_a_document) {
  auto good = parse_publish_ack(R"({"stream":"S","seq": 17})");
  CAF_CHECK(!good.error);
  CAF_CHECK_EQUAL(good.sequence, 17u);
  CAF_CHECK(parse_publish_ack(R"({"stream":"S","seq":1,"duplicate":true})")
                .duplicate);
  auto bad = parse_publish_ack(
      R"({"error":{"err_code":10077,"description":"full"},"seq":0})");
  CAF_REQUIRE(bad.error.has_value());
  CAF_CHECK_EQUAL(bad.error->code, 10077);
  CAF_CHECK(parse_publish_ack("").error.has_value());
  CAF_CHECK(parse_publish_ack("not JSON").error.has_value());
}

CAF_TEST(delivery_subjects_are_read_strictly) {
  auto info = parse_delivery("$JS.ACK.S.C.1.41.7.1700000000000000000.3");
  CAF_REQUIRE(info.has_value());
  CAF_CHECK_EQUAL(info->stream_sequence, 41u);
  CAF_CHECK_EQUAL(info->consumer_sequence, 7u);
  CAF_CHECK_EQUAL(info->stored_at_ns, 1'700'000'000'000'000'000);
  CAF_CHECK_EQUAL(info->pending, 3u);
  for (auto* bad : {"", "_INBOX.a", "$JS.ACK.S.C.1.41.7.x.3", "$JS.ACK.",
                    "$JS.ACK.1.2", "$JS.ACK.S.C.1.41.7.1.3x"})
    CAF_CHECK(!parse_delivery(bad));
}
