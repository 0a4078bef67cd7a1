// SPDX-License-Identifier: MIT
#define CAF_SUITE core.json

#include "core/json.hpp"
#include "core/limits.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <cmath>
#include <limits>
#include <random>

using namespace fantail;

namespace {

/// Values of every kind, at most `depth` levels deep.
class value_maker {
public:
  explicit value_maker(std::mt19937_64& random) : random_(random) {}

  json::value any(int depth) {
    switch (random_() % (depth > 0 ? 7 : 5)) {
    case 0:
      return {};
    case 1:
      return random_() % 2 == 0;
    case 2:
      return static_cast<int64_t>(random_() >> random_() % 64);
    case 3:
      return fraction();
    case 4:
      return text();
    case 5: {
      json::array result;
      for (auto left = random_() % 4; left > 0; --left)
        result.push_back(any(depth - 1));
      return result;
    }
    default: {
      json::object result;
      for (auto left = random_() % 4; left > 0; --left)
        result[text()] = any(depth - 1);
      return result;
    }
    }
  }

private:
  /// Never whole: a whole number comes back as an integer.
  double fraction() {
    auto whole = static_cast<double>(static_cast<int64_t>(random_() % 100'000));
    return (random_() % 2 ? 1 : -1) * (whole + 0.5) / 1024;
  }

  std::string text() {
    static const std::string parts[]
        = {"a", "\"", "\\", "\n", "\x01", "/", "\xc3\xa9", "\xf0\x9f\x98\x80"};
    std::string result;
    // Long ones are handed out by the parser in pieces.
    auto size = random_() % 10 == 0 ? random_() % 5'000 : random_() % 8;
    for (; size > 0; --size)
      result += parts[random_() % std::size(parts)];
    return result;
  }

  std::mt19937_64& random_;
};

std::string nested(size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

bool is_refused(std::string_view text) {
  std::string why;
  auto result = json::parse(text, &why);
  return !result && !why.empty();
}

/// Stops at the first key it meets.
struct stopping_visitor : json::visitor {
  std::string seen;
  bool on_object_begin() override { return true; }
  bool on_object_end() override { return true; }
  bool on_array_begin() override { return true; }
  bool on_array_end() override { return true; }
  bool on_key(std::string_view key) override {
    seen += key;
    return false;
  }
  bool on_string(std::string_view) override { return true; }
  bool on_int(int64_t) override { return true; }
  bool on_double(double) override { return true; }
  bool on_bool(bool) override { return true; }
  bool on_null() override { return true; }
};

} // namespace

CAF_TEST(what_is_serialized_is_read_back) {
  std::mt19937_64 random{test_seed()};
  value_maker make{random};
  for (int round = 0; round < 2'000; ++round) {
    auto sent = make.any(5);
    for (auto pretty : {false, true}) {
      auto text = json::serialize(sent, pretty);
      std::string why;
      auto got = json::parse(text, &why);
      CAF_REQUIRE_EQUAL(why, "");
      CAF_REQUIRE(got == sent);
    }
  }
}

CAF_TEST(nesting_is_bounded) {
  CAF_CHECK(json::parse(nested(limits::json_depth_max)).has_value());
  CAF_CHECK(is_refused(nested(limits::json_depth_max + 1)));
  CAF_CHECK(is_refused(std::string(1'000'000, '[')));
  std::string deep_object;
  for (size_t i = 0; i <= limits::json_depth_max; ++i)
    deep_object += R"({"a":)";
  CAF_CHECK(is_refused(deep_object));
}

CAF_TEST(malformed_documents_are_refused) {
  for (auto* text : {"",         " ",        "{",           "}",
                     "{]",       "[1,]",     "{\"a\"}",     "{\"a\":}",
                     "{a:1}",    "nul",      "truee",       "1 2",
                     "{} x",     "\"a",      "\"\n\"",      "01",
                     "+1",       ".5",       "1.",          "1e",
                     "NaN",      "Infinity", "'a'",         "// c\n1",
                     "[1] // c", "\"\\x\"",  "\"\\ud800\"", "\xef\xbb\xbf{}"})
    CAF_CHECK_EQUAL(is_refused(text) ? "" : text, "");
  // A zero byte is no white space.
  CAF_CHECK(is_refused(std::string_view{"{}\0", 3}));
}

CAF_TEST(invalid_utf8_is_refused) {
  for (auto* text : {"\"\xff\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"",
                     "\"\xf4\x90\x80\x80\"", "{\"\x80\":1}"})
    CAF_CHECK(is_refused(text));
}

CAF_TEST(damaged_documents_do_no_harm) {
  std::mt19937_64 random{test_seed()};
  value_maker make{random};
  for (int round = 0; round < 2'000; ++round) {
    auto text = json::serialize(make.any(4), round % 2 == 0);
    for (int flips = 0; flips < 3; ++flips)
      text[random() % text.size()] = static_cast<char>(random());
    if (random() % 3 == 0)
      text.resize(random() % (text.size() + 1));
    if (auto got = json::parse(text))
      CAF_REQUIRE(json::parse(json::serialize(*got)).has_value());
  }
}

CAF_TEST(whole_numbers_are_exact_and_large_ones_become_fractions) {
  auto text = std::to_string(std::numeric_limits<int64_t>::max());
  auto most = json::parse(text);
  CAF_REQUIRE(most && most->if_int());
  CAF_CHECK_EQUAL(*most->if_int(), std::numeric_limits<int64_t>::max());
  auto beyond = json::parse("18446744073709551615");
  CAF_REQUIRE(beyond.has_value());
  CAF_CHECK(!beyond->if_int());
  CAF_CHECK_EQUAL(beyond->as_double().value_or(0), 18446744073709551615.0);
  CAF_CHECK_EQUAL(json::serialize(std::nan("")), "null");
}

CAF_TEST(members_of_another_type_fall_back) {
  auto x = json::parse(R"({"n":7,"s":"a","b":true,"f":1.5})").value();
  CAF_CHECK_EQUAL(x.int_or("n", 1), 7);
  CAF_CHECK_EQUAL(x.int_or("s", 1), 1);
  CAF_CHECK_EQUAL(x.int_or("f", 1), 1);
  CAF_CHECK_EQUAL(x.string_or("s", "z"), "a");
  CAF_CHECK_EQUAL(x.string_or("n", "z"), "z");
  CAF_CHECK_EQUAL(x.bool_or("b", false), true);
  CAF_CHECK_EQUAL(x.bool_or("absent", true), true);
  CAF_CHECK(json::value{1}.find("n") == nullptr);
}

CAF_TEST(a_visitor_can_stop_the_parse) {
  stopping_visitor out;
  CAF_CHECK(json::parse(R"({"first":1,"second":2})", out).has_value());
  CAF_CHECK_EQUAL(out.seen, "first");
}

CAF_TEST(quoted_text_cannot_leave_its_quotes) {
  CAF_CHECK_EQUAL(json::quote("a\"b\\c\r\n"), R"("a\"b\\c\r\n")");
}
