// SPDX-License-Identifier: MIT
#define CAF_SUITE chaos.history

#include "chaos/history/history_reader.hpp"
#include "chaos/history/history_writer.hpp"
#include "chaos/history/line_format.hpp"
#include "tests/runtime/boot/scratch_directory.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace fantail;
using namespace fantail::chaos;

namespace {

time_point at(int64_t ns) {
  return time_point{std::chrono::nanoseconds{ns}};
}

history_head head() {
  return {"0.1.0",
          "nats",
          18446744073709551615u,
          {delivery_format::frame, delivery_format::single},
          {"rate=20000", "a \"quoted\" one"}};
}

/// One of each kind.
std::vector<timed_record> one_of_each() {
  using enum presence_call_kind;
  return {
      {at(1), publish_called{7, 12}},
      {at(2), publish_stored{7, position{99}}},
      {at(2), publish_refused{8}},
      {at(3), event_received{1, 7, shard_id{5}, epoch{4}}},
      {at(4), garbage_received{1, "a line\nand another"}},
      {at(5), loss_reported{2, shard_id{1}, position{3}, position{9}}},
      {at(6), presence_called{1, 2, online, 3, 1, {4, 5}}},
      {at(7), presence_called{2, 2, leave, 0, 0, {4}}},
      {at(8), presence_answered{1, chaos::presence_outcome::unknown}},
      {at(9), user_seen{2, at(8), {{3, 1}, {4, 0}}}},
      {at(10), sessions_lapsed{1}},
      {at(11), chaos::link_changed{1, true}},
      {at(12), node_changed{false}},
      {at(13), fault_marked{1, fault_phase::skipped, "instance-kill", "x", 3}},
      {at(14), escalation_seen{"routing", true}},
      {at(15), counter_read{counter_read::kind::sessions, 12, true}},
      {at(16), usage_seen{123'456'789, 42}},
      {at(16), run_ended{}},
  };
}

struct fixture {
  scratch_directory directory;
  std::string path = directory.path + "/run.jsonl";

  void write_all() {
    auto made = history_writer::create(path, head());
    CAF_REQUIRE_EQUAL(made.index(), 0u);
    for (auto& x : one_of_each())
      std::get<0>(made)->write(x);
  }

  std::string content() const {
    std::ifstream file{path};
    std::stringstream result;
    result << file.rdbuf();
    return result.str();
  }

  void replace(const std::string& text) { std::ofstream{path} << text; }

  std::unique_ptr<history_reader> open() {
    auto opened = history_reader::open(path);
    CAF_REQUIRE_EQUAL(opened.index(), 0u);
    return std::move(std::get<0>(opened));
  }

  static std::vector<timed_record> rest_of(history_reader& from) {
    std::vector<timed_record> result;
    while (auto x = from.next())
      result.push_back(std::move(*x));
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(history, fixture)

CAF_TEST(what_is_written_is_read_again) {
  CAF_REQUIRE_EQUAL(one_of_each().size(), std::variant_size_v<record> + 1);
  write_all();
  auto reader = open();
  CAF_CHECK(reader->head() == head());
  CAF_CHECK(rest_of(*reader) == one_of_each());
  CAF_CHECK_EQUAL(reader->cut(), "");
  CAF_CHECK_EQUAL(reader->problem(), "");
}

CAF_TEST(a_file_that_exists_is_not_touched) {
  replace("precious");
  CAF_CHECK_EQUAL(history_writer::create(path, head()).index(), 1u);
  CAF_CHECK_EQUAL(content(), "precious");
}

CAF_TEST(a_history_may_be_cut_anywhere) {
  write_all();
  auto whole = content();
  auto head_size = whole.find('\n') + 1;
  for (auto size = head_size; size < whole.size(); ++size) {
    replace(whole.substr(0, size));
    auto reader = open();
    auto records = rest_of(*reader);
    auto lines = std::count(whole.begin() + static_cast<long>(head_size),
                            whole.begin() + static_cast<long>(size), '\n');
    CAF_REQUIRE_EQUAL(records.size(), static_cast<size_t>(lines));
    CAF_REQUIRE_EQUAL(reader->cut().empty(), whole[size - 1] == '\n');
    CAF_REQUIRE_EQUAL(reader->problem(), "");
  }
}

CAF_TEST(a_damaged_last_line_is_told_and_an_earlier_one_is_an_error) {
  write_all();
  auto whole = content();
  replace(whole + "{\"t\":17,\"k\":\"pub\",\"e\":-1,\"c\":1}\n");
  auto reader = open();
  CAF_CHECK_EQUAL(rest_of(*reader).size(), one_of_each().size());
  CAF_CHECK_EQUAL(reader->problem(), "");
  CAF_CHECK_EQUAL(reader->cut(),
                  path + ":20: member \"e\" is missing or wrong");
  replace(whole + "nothing\n{\"t\":17,\"k\":\"end\"}\n");
  reader = open();
  CAF_CHECK_EQUAL(rest_of(*reader).size(), one_of_each().size());
  CAF_CHECK(reader->problem().starts_with(path + ":20: "));
}

CAF_TEST(time_does_not_run_backwards) {
  write_all();
  replace(content() + "{\"t\":3,\"k\":\"end\"}\n");
  auto reader = open();
  rest_of(*reader);
  CAF_CHECK_EQUAL(reader->problem(), path + ":20: time runs backwards");
}

CAF_TEST(other_files_are_refused) {
  for (auto text :
       {"", "hello\n", "{}\n", "{\"k\":\"begin\",\"format\":2}\n"}) {
    replace(text);
    CAF_CHECK_EQUAL(history_reader::open(path).index(), 1u);
  }
}

CAF_TEST(a_line_names_what_is_wrong_with_it) {
  std::string why;
  CAF_CHECK(!parse_record(R"({"t":1,"k":"nonsense"})", why));
  CAF_CHECK_EQUAL(why, "unknown kind \"nonsense\"");
  CAF_CHECK(!parse_record(R"({"k":"end"})", why));
  CAF_CHECK_EQUAL(why, "member \"t\" is missing or wrong");
  CAF_CHECK(!parse_record(R"({"t":1,"k":"answer","n":1,"is":"so"})", why));
  CAF_CHECK_EQUAL(why, "member \"is\" is missing or wrong");
  CAF_CHECK(!parse_record(R"({"t":1,"k":"link","i":70000,"up":true})", why));
  CAF_CHECK_EQUAL(why, "member \"i\" is missing or wrong");
}

CAF_TEST_FIXTURE_SCOPE_END()
