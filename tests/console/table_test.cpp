// SPDX-License-Identifier: MIT
#define CAF_SUITE console.table

#include "console/table.hpp"
#include "console/text.hpp"
#include "console/tree.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail::console;

namespace {

table example() {
  table result{{{"CHANNEL", false, 0, 8},
                {"MEMBERS", true},
                {"SHARD", true, 1},
                {"BYTES", true, 2}}};
  result.add({"general", "51,200", "3", "1 KiB"}, "route explain general");
  result.add({"a-channel-with-a-long-name", "7", "11", "2 KiB"});
  return result;
}

std::vector<std::string> drawn(const table& x, const look& how) {
  page out;
  x.draw(out, how);
  return out.lines;
}

size_t widest(const std::vector<std::string>& lines) {
  size_t result = 0;
  for (auto& x : lines)
    result = std::max(result, width_of(x));
  return result;
}

} // namespace

CAF_TEST(in_a_pipe_nothing_is_cut_and_nothing_is_coloured) {
  auto lines = drawn(example(), {});
  CAF_REQUIRE_EQUAL(lines.size(), 3u);
  CAF_CHECK_EQUAL(lines[0],
                  "CHANNEL                     MEMBERS  SHARD  BYTES");
  CAF_CHECK_EQUAL(lines[1],
                  "general                      51,200      3  1 KiB");
  CAF_CHECK_EQUAL(lines[2],
                  "a-channel-with-a-long-name        7     11  2 KiB");
}

CAF_TEST(on_a_terminal_nothing_is_wider_than_it) {
  for (size_t width = 13; width < 60; ++width) {
    look how;
    how.width = width;
    auto lines = drawn(example(), how);
    CAF_CHECK_EQUAL(lines.size(), 3u);
    CAF_CHECK(widest(lines) <= width);
  }
}

CAF_TEST(first_texts_shrink_then_columns_leave) {
  look how;
  how.width = 35;
  auto lines = drawn(example(), how);
  CAF_CHECK_EQUAL(lines[2], "a-channel-w…        7     11  2 KiB");
  how.width = 28;
  lines = drawn(example(), how);
  CAF_CHECK_EQUAL(lines[0], "CHANNEL       MEMBERS  SHARD");
  CAF_CHECK_EQUAL(lines[2], "a-channel-w…        7     11");
}

CAF_TEST(rows_that_can_be_opened_have_numbers) {
  look how;
  how.has_numbers = true;
  page out;
  out.targets = {"tree"};
  example().draw(out, how);
  CAF_CHECK_EQUAL(out.targets.size(), 2u);
  CAF_CHECK_EQUAL(out.targets[1], "route explain general");
  CAF_CHECK(out.lines[1].starts_with("2 general"));
  CAF_CHECK(out.lines[2].starts_with("  a-channel"));
}

CAF_TEST(colours_do_not_change_the_columns) {
  look how;
  how.has_colours = true;
  table rows{{{"A"}, {"B", true}}};
  rows.add({cell{"x", tone::bad}, cell{"1", tone::good}});
  auto lines = drawn(rows, how);
  CAF_CHECK_EQUAL(lines[1], "\033[1;31mx\033[0m  \033[32m1\033[0m");
}

CAF_TEST(a_column_that_may_leave_and_is_empty_does) {
  table rows{{{"A"}, {"B", false, 1}}};
  rows.add({"x", ""});
  auto lines = drawn(rows, {});
  CAF_CHECK_EQUAL(lines[0], "A");
}

CAF_TEST(facts_stand_below_each_other_and_go_on_below) {
  facts lines;
  lines.add("node", {cell{"n1"}, cell{"ok"}});
  lines.add("why", cell{"a text of several words"});
  page out;
  look how;
  how.width = 20;
  lines.draw(out, how);
  std::vector<std::string> expected{"node  n1  ok", "why   a text of",
                                    "      several words"};
  CAF_CHECK(out.lines == expected);
}

CAF_TEST(a_tree_has_lines_and_columns) {
  branch root{"node", {"idle"}, "actor node", {}};
  root.children.push_back({"routing", {"idle"}, "actor routing", {}});
  root.children.back().children.push_back(
      {"shard-3", {"busy"}, "actor routing/shard-3", {}});
  root.children.push_back({"edge", {"idle"}, "", {}});
  page out;
  draw_tree(root, {"STATE"}, out, {});
  std::vector<std::string> expected{
      "NAME           STATE", "node           idle", "├─ routing     idle",
      "│  └─ shard-3  busy", "└─ edge        idle"};
  CAF_CHECK(out.lines == expected);
}
