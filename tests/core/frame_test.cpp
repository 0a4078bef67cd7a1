// SPDX-License-Identifier: MIT
#define CAF_SUITE core.frame

#include "core/frame.hpp"
#include "core/limits.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>

using namespace fantail;

namespace {

constexpr std::string_view some_headers
    = "NATS/1.0\r\nNats-Msg-Id: a\r\nFantail-Class: important\r\n\r\n";

/// A frame with known content; the strings behind the events live here.
class random_frame {
public:
  explicit random_frame(std::mt19937_64& random) : random_(random) {
    frame::writer out;
    for (auto left = below(5); left > 0; --left)
      add_section(out);
    bytes = out.finish();
  }

  std::string bytes;
  std::vector<frame::section> sections;

private:
  uint64_t below(uint64_t bound) { return random_() % bound; }

  std::string_view text(size_t size) {
    auto& result = texts_.emplace_back(size, '\0');
    for (auto& c : result)
      c = static_cast<char>(random_());
    return result;
  }

  void add_section(frame::writer& out) {
    auto& in = sections.emplace_back();
    in.header.shard = shard_id{static_cast<uint16_t>(random_())};
    in.header.flags = static_cast<uint16_t>(below(8));
    in.header.epoch = fantail::epoch{random_()};
    in.header.from = position{random_() >> 8};
    in.header.to = in.header.from;
    out.begin_section(in.header);
    for (auto left = below(6); left > 0; --left) {
      chat_event event;
      in.header.to.value += 1 + below(9);
      event.pos = in.header.to;
      event.cls = static_cast<event_class>(below(3));
      event.channel = text(1 + below(limits::token_bytes_max));
      event.headers = text(below(300));
      event.body = text(below(2'000));
      out.add(event);
      in.events.push_back(event);
    }
    in.header.to.value += below(5);
    out.extend_section(in.header.to);
  }

  std::mt19937_64& random_;
  /// A deque never moves its strings, so the views stay valid.
  std::deque<std::string> texts_;
};

bool equal(const chat_event& a, const chat_event& b) {
  return a.pos == b.pos && a.cls == b.cls && a.channel == b.channel
         && a.headers == b.headers && a.body == b.body;
}

/// Reads from memory of exactly this size, so that a sanitizer sees a read
/// behind the end.
void read_somehow(const std::string& bytes) {
  std::unique_ptr<char[]> exact{new char[bytes.size()]};
  std::memcpy(exact.get(), bytes.data(), bytes.size());
  std::string_view view{exact.get(), bytes.size()};
  std::string why;
  auto sections = frame::read(view, &why);
  CAF_REQUIRE_EQUAL(sections.has_value(), why.empty());
  if (!sections)
    return;
  for (auto& x : *sections) {
    CAF_REQUIRE(x.header.from <= x.header.to);
    auto last = x.header.from;
    for (auto& event : x.events) {
      CAF_REQUIRE(event.pos > last && event.pos <= x.header.to);
      last = event.pos;
      for (auto part : {event.channel, event.headers, event.body}) {
        CAF_REQUIRE(part.data() >= view.data());
        CAF_REQUIRE(part.data() + part.size() <= view.data() + view.size());
      }
    }
  }
}

/// One event in one section.
std::string small_frame(uint64_t from = 4, uint64_t pos = 7, uint64_t to = 9) {
  frame::writer out;
  out.begin_section(
      {shard_id{3}, 0, fantail::epoch{2}, position{from}, position{to}});
  chat_event event;
  event.pos = position{pos};
  event.channel = "general";
  event.headers = some_headers;
  event.body = "hello";
  out.add(event);
  return std::string{out.finish()};
}

std::string refusal(const std::string& bytes) {
  std::string why;
  return frame::read(bytes, &why) ? "nothing" : why;
}

template <class T>
std::string with(std::string bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
  return bytes;
}

} // namespace

CAF_TEST(every_field_survives_the_wire) {
  std::mt19937_64 random{test_seed()};
  for (int round = 0; round < 500; ++round) {
    random_frame sent{random};
    auto got = frame::read(sent.bytes);
    CAF_REQUIRE(got.has_value());
    CAF_REQUIRE_EQUAL(got->size(), sent.sections.size());
    for (size_t i = 0; i < got->size(); ++i) {
      auto& a = (*got)[i];
      auto& b = sent.sections[i];
      CAF_REQUIRE(a.header == b.header);
      CAF_REQUIRE(std::equal(a.events.begin(), a.events.end(), b.events.begin(),
                             b.events.end(), equal));
    }
  }
}

CAF_TEST(arbitrary_bytes_are_refused_without_harm) {
  std::mt19937_64 random{test_seed()};
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(random());
    if (round % 2 == 0)
      bytes.replace(0, std::min<size_t>(4, bytes.size()), frame::magic);
    read_somehow(bytes);
  }
}

CAF_TEST(damaged_frames_are_read_without_harm) {
  std::mt19937_64 random{test_seed()};
  for (int round = 0; round < 300; ++round) {
    random_frame sent{random};
    for (int k = 0; k < 60; ++k) {
      auto bytes = sent.bytes;
      if (random() % 4 == 0)
        bytes.resize(random() % (bytes.size() + 20));
      for (auto flips = random() % 3; flips > 0 && !bytes.empty(); --flips)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      read_somehow(bytes);
    }
  }
}

CAF_TEST(no_prefix_of_a_frame_is_a_frame) {
  auto whole = small_frame();
  CAF_CHECK_EQUAL(refusal(whole), "nothing");
  for (size_t size = 0; size < whole.size(); ++size)
    CAF_CHECK_NOT_EQUAL(refusal(whole.substr(0, size)), "nothing");
  CAF_CHECK_EQUAL(refusal(whole + "x"),
                  "bytes are left behind the last section");
}

CAF_TEST(each_contradiction_has_its_own_words) {
  auto good = small_frame();
  auto event_at = frame::frame_header_bytes + frame::section_header_bytes;
  CAF_CHECK_EQUAL(refusal(with(good, 0, 'G')),
                  "the bytes are not a frame of version 1");
  CAF_CHECK_EQUAL(refusal(with(good, 4, uint16_t{9})),
                  "the frame claims more sections than it has bytes for");
  CAF_CHECK_EQUAL(refusal(with(good, 8 + 4, uint32_t{1'000'000'000})),
                  "a section claims more events than it has bytes for");
  CAF_CHECK_EQUAL(refusal(with(good, 8 + 16, uint64_t{10})),
                  "a section ends before it begins");
  CAF_CHECK_EQUAL(refusal(with(good, 8 + 32, uint32_t{100'000})),
                  "a section is longer than the frame");
  CAF_CHECK_EQUAL(refusal(with(good, event_at, uint64_t{4})),
                  "an event lies outside of its section");
  CAF_CHECK_EQUAL(refusal(with(good, event_at, uint64_t{10})),
                  "an event lies outside of its section");
  CAF_CHECK_EQUAL(refusal(with(good, event_at + 8, UINT32_MAX)),
                  "an event is cut short");
  CAF_CHECK_EQUAL(refusal(with(good, event_at + 15, uint8_t{3})),
                  "an event is cut short");
  CAF_CHECK_EQUAL(refusal(with(good, 8 + 4, uint32_t{0})),
                  "bytes are left behind the last event");
}

CAF_TEST(the_bytes_are_those_of_the_protocol) {
  auto bytes = small_frame();
  auto size = frame::frame_header_bytes + frame::section_header_bytes
              + frame::event_header_bytes + 7 + some_headers.size() + 5;
  CAF_REQUIRE_EQUAL(bytes.size(), size);
  CAF_CHECK_EQUAL(bytes.substr(0, 8), std::string("FNT1\1\0\0\0", 8));
  CAF_CHECK_EQUAL(bytes.substr(8, 8), std::string("\3\0\0\0\1\0\0\0", 8));
  CAF_CHECK_EQUAL(static_cast<int>(bytes[16]), 2);
  CAF_CHECK_EQUAL(static_cast<int>(bytes[24]), 4);
  CAF_CHECK_EQUAL(static_cast<int>(bytes[32]), 9);
  CAF_CHECK_EQUAL(static_cast<int>(bytes[44]), 7);
  CAF_CHECK_EQUAL(bytes.substr(60, 7), "general");
  CAF_CHECK_EQUAL(bytes.substr(size - 5), "hello");
}

CAF_TEST(the_largest_event_fits_into_one_message) {
  std::string channel(limits::token_bytes_max, 'c');
  std::string body(limits::event_bytes_max, 'b');
  chat_event event;
  event.pos = position{1};
  event.channel = channel;
  event.body = body;
  frame::writer out;
  out.begin_section({shard_id{0}, 0, fantail::epoch{1}, {}, position{1}});
  out.add(event);
  auto bytes = out.finish();
  CAF_CHECK(bytes.size() <= limits::payload_bytes_max);
  auto got = frame::read(bytes);
  CAF_REQUIRE(got.has_value());
  CAF_CHECK((*got)[0].events[0].body == body);
}

CAF_TEST(a_cleared_writer_starts_over) {
  frame::writer out;
  out.begin_section({shard_id{1}, 0, fantail::epoch{1}, {}, position{5}});
  CAF_CHECK(!out.empty());
  out.finish();
  out.clear();
  CAF_CHECK(out.empty());
  auto got = frame::read(out.finish());
  CAF_REQUIRE(got.has_value());
  CAF_CHECK(got->empty());
}
