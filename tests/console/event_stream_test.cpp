// SPDX-License-Identifier: MIT
#define CAF_SUITE console.event_stream

#include "console/event_stream.hpp"

#include "caf/test/unit_test.hpp"

#include <vector>

using namespace fantail::console;

namespace {

const std::string two_events = ": hello\n\n"
                               "id: 17\nevent: actor-stuck\ndata: {\"a\":1}\n\n"
                               "data:x\r\ndata: y\r\n\r\n";

std::vector<server_event> all_of(event_reader& from) {
  std::vector<server_event> result;
  while (auto x = from.next())
    result.push_back(*x);
  return result;
}

} // namespace

CAF_TEST(events_come_out_whole_whatever_the_pieces) {
  for (size_t size = 1; size <= two_events.size(); ++size) {
    event_reader reader;
    std::vector<server_event> found;
    for (size_t at = 0; at < two_events.size(); at += size) {
      reader.feed(std::string_view{two_events}.substr(at, size));
      for (auto& x : all_of(reader))
        found.push_back(x);
    }
    CAF_REQUIRE_EQUAL(found.size(), 2u);
    CAF_CHECK_EQUAL(found[0].id, "17");
    CAF_CHECK_EQUAL(found[0].name, "actor-stuck");
    CAF_CHECK_EQUAL(found[0].data, "{\"a\":1}");
    CAF_CHECK_EQUAL(found[1].name, "message");
    CAF_CHECK_EQUAL(found[1].data, "x\ny");
  }
}

CAF_TEST(comments_and_events_without_data_are_none) {
  event_reader reader;
  reader.feed(": still here\n\nevent: end\n\n");
  CAF_CHECK(all_of(reader).empty());
  reader.feed("event: end\ndata:\n\n");
  auto found = all_of(reader);
  CAF_REQUIRE_EQUAL(found.size(), 1u);
  CAF_CHECK_EQUAL(found[0].name, "end");
  CAF_CHECK_EQUAL(found[0].data, "");
}
