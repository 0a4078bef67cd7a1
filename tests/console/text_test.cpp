// SPDX-License-Identifier: MIT
#define CAF_SUITE console.text

#include "console/text.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail::console;

CAF_TEST(width_counts_columns_and_not_bytes) {
  CAF_CHECK_EQUAL(width_of(""), 0u);
  CAF_CHECK_EQUAL(width_of("general"), 7u);
  CAF_CHECK_EQUAL(width_of("12 µs"), 5u);
  CAF_CHECK_EQUAL(width_of("日本"), 4u);
  CAF_CHECK_EQUAL(width_of("e\u0301"), 1u);
  CAF_CHECK_EQUAL(width_of("\U0001F600"), 2u);
}

CAF_TEST(broken_utf8_has_a_width_and_becomes_visible) {
  CAF_CHECK_EQUAL(width_of("a\xff"), 2u);
  CAF_CHECK_EQUAL(printable("a\xff"), "a\\xff");
  CAF_CHECK_EQUAL(printable("\xc3"), "\\xc3");
  // Too long a form of a slash, half of a pair, beyond Unicode.
  CAF_CHECK_EQUAL(printable("\xc0\xaf"), "\\xc0\\xaf");
  CAF_CHECK_EQUAL(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  CAF_CHECK_EQUAL(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

CAF_TEST(nothing_that_a_terminal_obeys_gets_through) {
  CAF_CHECK_EQUAL(printable("a\033[31mb"), "a\\x1b[31mb");
  CAF_CHECK_EQUAL(printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  CAF_CHECK_EQUAL(printable(std::string_view{"\0", 1}), "\\x00");
  // C1 control sequence introducer, right-to-left override.
  CAF_CHECK_EQUAL(printable("\u009b31m"), "\\xc2\\x9b31m");
  CAF_CHECK_EQUAL(printable("\u202egnp"), "\\xe2\\x80\\xaegnp");
  CAF_CHECK_EQUAL(printable("größer 日本"), "größer 日本");
}

CAF_TEST(what_is_too_long_ends_with_an_ellipsis) {
  CAF_CHECK_EQUAL(shorten("general", 7), "general");
  CAF_CHECK_EQUAL(shorten("general", 6), "gener…");
  CAF_CHECK_EQUAL(shorten("general", 1), "…");
  CAF_CHECK_EQUAL(shorten("general", 0), "");
  // A wide character is not cut in two.
  CAF_CHECK_EQUAL(shorten("日本語", 4), "日…");
}

CAF_TEST(padding_fills_up_and_never_cuts) {
  CAF_CHECK_EQUAL(pad_right("µs", 4), "µs  ");
  CAF_CHECK_EQUAL(pad_left("µs", 4), "  µs");
  CAF_CHECK_EQUAL(pad_left("general", 3), "general");
}

CAF_TEST(ascii_has_the_same_width) {
  for (std::string_view x : {"├─ a", "└─ b", "│  c", "12 µs…", "日本 → x"}) {
    auto ascii = to_ascii(x);
    CAF_CHECK_EQUAL(ascii.size(), width_of(x));
    for (auto c : ascii)
      CAF_CHECK(static_cast<unsigned char>(c) < 0x80);
  }
  CAF_CHECK_EQUAL(to_ascii("├─ a"), "|- a");
}

CAF_TEST(long_text_is_broken_at_spaces) {
  CAF_CHECK_EQUAL(wrap("one two three", 8, 0), "one two\nthree");
  CAF_CHECK_EQUAL(wrap("one two three", 8, 2), "one two\n  three");
  CAF_CHECK_EQUAL(wrap("one two three", 0, 0), "one two three");
  CAF_CHECK_EQUAL(wrap("unbreakable", 4, 0), "unbreakable");
}
