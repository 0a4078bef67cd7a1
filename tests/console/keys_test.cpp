// SPDX-License-Identifier: MIT
#define CAF_SUITE console.keys

#include "console/keys.hpp"
#include "console/live_view.hpp"

#include "caf/test/unit_test.hpp"

#include <vector>

using namespace fantail::console;
using wish = live_state::wish;

namespace {

std::vector<key> keys_of(std::string bytes) {
  std::vector<key> result;
  while (auto x = take_key(bytes, true))
    result.push_back(*x);
  return result;
}

key character(char x) {
  return {key_name::character, x};
}

} // namespace

CAF_TEST(keys_are_told_apart) {
  std::vector<key> expected{character('q'),        {key_name::up},
                            {key_name::down},      {key_name::enter},
                            {key_name::page_down}, {key_name::backspace},
                            {key_name::escape}};
  CAF_CHECK(keys_of("q\033[A\033OB\r\033[6~\x7f\033") == expected);
  // Unknown sequences are swallowed whole.
  std::vector<key> after{{key_name::other}, character('x')};
  CAF_CHECK(keys_of("\033[1;5Cx") == after);
}

CAF_TEST(half_a_sequence_is_waited_for) {
  for (std::string part : {"\033", "\033[", "\033[5", "\033O"}) {
    auto bytes = part;
    CAF_CHECK(!take_key(bytes, false));
    CAF_CHECK_EQUAL(bytes, part);
    auto found = take_key(bytes, true);
    CAF_REQUIRE(found);
    CAF_CHECK(found->name == key_name::escape);
  }
}

CAF_TEST(a_number_and_enter_open) {
  live_state state;
  CAF_CHECK(state.press(character('1'), 50, 10) == wish::redraw);
  CAF_CHECK(state.press(character('3'), 50, 10) == wish::redraw);
  CAF_CHECK_EQUAL(state.typed(), "13");
  CAF_CHECK(state.press({key_name::backspace}, 50, 10) == wish::redraw);
  CAF_CHECK(state.press({key_name::enter}, 50, 10) == wish::open);
  CAF_CHECK_EQUAL(state.chosen(), 1u);
  CAF_CHECK_EQUAL(state.typed(), "");
  CAF_CHECK(state.press({key_name::enter}, 50, 10) == wish::refresh);
}

CAF_TEST(q_and_escape_leave_but_escape_forgets_a_number_first) {
  live_state state;
  CAF_CHECK(state.press(character('q'), 1, 10) == wish::back);
  CAF_CHECK(state.press(character('7'), 1, 10) == wish::redraw);
  CAF_CHECK(state.press({key_name::escape}, 1, 10) == wish::redraw);
  CAF_CHECK(state.press({key_name::escape}, 1, 10) == wish::back);
}

CAF_TEST(scrolling_stays_within_the_page) {
  live_state state;
  for (int i = 0; i < 100; ++i)
    state.press({key_name::page_down}, 25, 10);
  CAF_CHECK_EQUAL(state.offset(), 15u);
  state.press({key_name::up}, 25, 10);
  CAF_CHECK_EQUAL(state.offset(), 14u);
  state.press({key_name::home}, 25, 10);
  state.press({key_name::up}, 25, 10);
  CAF_CHECK_EQUAL(state.offset(), 0u);
  state.press({key_name::end}, 25, 10);
  CAF_CHECK_EQUAL(state.offset(), 15u);
  // The page became shorter.
  state.fit(5, 10);
  CAF_CHECK_EQUAL(state.offset(), 0u);
}

CAF_TEST(the_footer_says_what_keys_do) {
  live_state state;
  CAF_CHECK_EQUAL(live_footer(state, 5, 10, 0, {}), "q leaves  space pauses");
  CAF_CHECK_EQUAL(live_footer(state, 25, 10, 3, {}),
                  "q leaves  number + Enter opens  space pauses  arrows scroll "
                  "(1 to 10 of 25)");
  state.press(character(' '), 5, 10);
  CAF_CHECK_EQUAL(live_footer(state, 5, 10, 0, {}),
                  "paused  q leaves  space goes on");
  state.press(character('4'), 5, 10);
  CAF_CHECK_EQUAL(live_footer(state, 5, 10, 9, {}),
                  "Enter opens number 4, Esc forgets it");
}
