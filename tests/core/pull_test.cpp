// SPDX-License-Identifier: MIT
#define CAF_SUITE core.pull

#include "core/limits.hpp"
#include "core/pull.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>
#include <string>

using namespace fantail;

namespace {

std::string block(std::string_view lines) {
  return "NATS/1.0\r\n" + std::string{lines} + "\r\n";
}

struct stored_event {
  uint64_t pos;
  int64_t at_ns;
  std::string channel, headers, body;
};

} // namespace

CAF_TEST(events_come_back_as_they_went_in) {
  std::mt19937_64 random{test_seed()};
  for (int round = 0; round < 100; ++round) {
    pull_builder builder{shard_id{3}, position{50}};
    std::vector<stored_event> model;
    uint64_t pos = 50;
    size_t bytes = 0;
    for (auto left = random() % 50; left > 0; --left) {
      pos += 1 + random() % 3;
      stored_event x{pos, static_cast<int64_t>(random() >> 1),
                     std::string(1 + random() % 128, 'c'),
                     random() % 2 ? block("A: b\r\n") : "",
                     std::string(random() % 3'000, 'b')};
      CAF_REQUIRE(
          builder.add(position{pos}, x.at_ns, x.channel, x.headers, x.body)
          == reject_reason::none);
      bytes += x.channel.size() + x.headers.size() + x.body.size();
      model.push_back(std::move(x));
    }
    auto got = builder.finish(77, 5);
    CAF_REQUIRE_EQUAL(got->size(), model.size());
    CAF_REQUIRE_EQUAL(got->byte_count(), bytes);
    CAF_REQUIRE(got->shard == shard_id{3} && got->from == position{50});
    CAF_REQUIRE(got->to == position{pos});
    CAF_REQUIRE(got->received_at_ns == 77 && got->pending == 5);
    for (size_t i = 0; i < model.size(); ++i) {
      auto event = (*got)[i];
      auto& x = model[i];
      CAF_REQUIRE(event.pos == position{x.pos});
      CAF_REQUIRE_EQUAL(event.stored_at_ns, x.at_ns);
      CAF_REQUIRE(event.channel == x.channel && event.body == x.body);
      CAF_REQUIRE(event.headers == x.headers);
      CAF_REQUIRE(got->channel_of(i) == x.channel);
      CAF_REQUIRE_EQUAL(got->event_bytes(i), x.headers.size() + x.body.size());
    }
  }
}

CAF_TEST(the_next_pull_begins_where_the_last_one_ended) {
  pull_builder builder{shard_id{1}, position{10}};
  CAF_CHECK(builder.untouched());
  builder.add(position{12}, 0, "general", "", "a");
  CAF_CHECK(!builder.untouched());
  builder.extend(position{15});
  builder.extend(position{14});
  auto first = builder.finish(1, 0);
  CAF_CHECK(first->to == position{15});
  CAF_CHECK(builder.untouched());
  CAF_CHECK_EQUAL(builder.size(), 0u);
  builder.add(position{16}, 0, "general", "", "bc");
  auto second = builder.finish(2, 0);
  CAF_CHECK(second->from == position{15});
  CAF_CHECK(second->shard == shard_id{1});
  CAF_CHECK_EQUAL((*second)[0].body, "bc");
  CAF_CHECK_EQUAL((*first)[0].body, "a");
}

CAF_TEST(a_rejected_event_only_moves_the_end) {
  pull_builder builder{shard_id{0}, position{0}};
  std::string large(limits::event_bytes_max + 1, 'x');
  auto add = [&](uint64_t pos, std::string_view channel,
                 std::string_view headers, std::string_view body) {
    return builder.add(position{pos}, 0, channel, headers, body);
  };
  CAF_CHECK(add(1, "a b", "", "x") == reject_reason::illegal_channel);
  CAF_CHECK(add(2, "", "", "x") == reject_reason::illegal_channel);
  CAF_CHECK(add(3, std::string(129, 'c'), "", "x")
            == reject_reason::illegal_channel);
  CAF_CHECK(add(4, "c", std::string(65'536, 'h'), "")
            == reject_reason::headers_too_large);
  CAF_CHECK(add(5, "c", "", large) == reject_reason::event_too_large);
  CAF_CHECK(add(6, "c", "h", std::string_view{large}.substr(1))
            == reject_reason::event_too_large);
  CAF_CHECK(!builder.untouched());
  CAF_CHECK_EQUAL(builder.size(), 0u);
  CAF_CHECK_EQUAL(builder.byte_count(), 0u);
  CAF_CHECK(add(7, "c", "", std::string_view{large}.substr(1))
            == reject_reason::none);
  auto got = builder.finish(0, 0);
  CAF_CHECK(got->to == position{7});
  CAF_CHECK_EQUAL(got->rejected, 6u);
  CAF_CHECK_EQUAL(got->size(), 1u);
}

CAF_TEST(a_header_is_found_without_case_and_without_spaces) {
  auto headers = block("Nats-Msg-Id: e1\r\nFANTAIL-CLASS:\t best-effort \r\n"
                       "Empty:\r\nnats-msg-id: e2\r\n");
  CAF_CHECK_EQUAL(header_value(headers, "Nats-Msg-Id"), "e1");
  CAF_CHECK_EQUAL(header_value(headers, "fantail-class"), "best-effort");
  CAF_CHECK_EQUAL(header_value(headers, "Empty"), "");
  CAF_CHECK_EQUAL(header_value(headers, "Nats"), "");
  CAF_CHECK_EQUAL(header_value(headers, "NATS/1.0"), "");
}

CAF_TEST(a_strange_header_block_has_no_values) {
  for (auto* headers : {"", "NATS/1.0", "NATS/1.0\r\n", "NATS/1.0\r\n\r\n",
                        "\r\n", "Fantail-Class: important",
                        "NATS/1.0\r\nFantail-Class important\r\n\r\n"})
    CAF_CHECK_EQUAL(header_value(headers, "Fantail-Class"), "");
  // A last line that is cut off still ends somewhere.
  CAF_CHECK_EQUAL(header_value("NATS/1.0\r\nA: b", "A"), "b");
}

CAF_TEST(arbitrary_header_blocks_do_no_harm) {
  std::mt19937_64 random{test_seed()};
  constexpr std::string_view letters = ":\r\n Aa\t";
  for (int round = 0; round < 20'000; ++round) {
    std::string headers(random() % 40, ' ');
    for (auto& c : headers)
      c = letters[random() % letters.size()];
    auto value = header_value(headers, "aa");
    CAF_REQUIRE(value.find("\r\n") == value.npos);
  }
}

CAF_TEST(the_class_of_an_event_is_in_its_headers) {
  auto of = [](std::string_view word) {
    return class_from_headers(
        block("Fantail-Class: " + std::string{word} + "\r\n"));
  };
  CAF_CHECK(of("critical") == event_class::critical);
  CAF_CHECK(of("important") == event_class::important);
  CAF_CHECK(of("Important") == event_class::important);
  CAF_CHECK(of("best-effort") == event_class::best_effort);
  CAF_CHECK(of("BEST-EFFORT") == event_class::best_effort);
  // A typo can never cause a drop.
  CAF_CHECK(of("best_effort") == event_class::critical);
  CAF_CHECK(of("best-effort2") == event_class::critical);
  CAF_CHECK(of("") == event_class::critical);
  CAF_CHECK(class_from_headers("") == event_class::critical);
  CAF_CHECK(class_from_headers(block("Other: important\r\n"))
            == event_class::critical);
}

CAF_TEST(the_class_is_read_while_an_event_is_added) {
  pull_builder builder{shard_id{0}, position{0}};
  builder.add(position{1}, 0, "c", block("Fantail-Class: important\r\n"), "");
  builder.add(position{2}, 0, "c", "", "");
  auto got = builder.finish(0, 0);
  CAF_CHECK(got->class_of(0) == event_class::important);
  CAF_CHECK((*got)[1].cls == event_class::critical);
}

CAF_TEST(a republished event gets its own headers and body back) {
  std::string headers = "NATS/1.0\r\nNats-Msg-Id: e1\r\n"
                        "Fantail-Class: best-effort\r\n\r\n";
  for (auto* own : {headers.c_str(), ""})
    for (auto* body : {"hello", ""}) {
      auto wrapped = wrap_event(own, body, "Nats-Msg-Id: ORDERS:7:1\r\n");
      CAF_CHECK_EQUAL(header_value(wrapped.headers, "Nats-Msg-Id"),
                      "ORDERS:7:1");
      pull_builder builder{shard_id{0}, position{0}};
      builder.add(position{1}, 1, "c", wrapped.headers, wrapped.body);
      auto events = builder.finish(0, 0);
      CAF_CHECK_EQUAL((*events)[0].headers, own);
      CAF_CHECK_EQUAL((*events)[0].body, body);
      auto cls = *own ? event_class::best_effort : event_class::critical;
      CAF_CHECK((*events)[0].cls == cls);
    }
}

CAF_TEST(a republished event is known whatever the order of its headers) {
  std::string own = "NATS/1.0\r\nNats-Msg-Id: e1\r\n\r\n";
  auto size = std::to_string(own.size());
  auto headers = "NATS/1.0\r\nNats-Msg-Id: ORDERS:7:1\r\nFantail-Wrapped: "
                 + size + "\r\nNats-Expected-Last-Sequence: 7\r\n\r\n";
  auto together = own + "hello";
  std::string_view seen_headers = headers, seen_body = together;
  unwrap_event(seen_headers, seen_body);
  CAF_CHECK_EQUAL(seen_headers, own);
  CAF_CHECK_EQUAL(seen_body, "hello");
}

CAF_TEST(what only looks republished stays as it is) {
  for (std::string_view size : {"9", "-1", "", "1x", "99999999999999999999"}) {
    auto headers
        = "NATS/1.0\r\nFantail-Wrapped: " + std::string{size} + "\r\n\r\n";
    std::string_view seen_headers = headers, seen_body = "body";
    unwrap_event(seen_headers, seen_body);
    CAF_CHECK_EQUAL(seen_headers, headers);
    CAF_CHECK_EQUAL(seen_body, "body");
  }
}
