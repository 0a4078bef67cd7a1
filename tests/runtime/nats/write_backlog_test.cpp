// SPDX-License-Identifier: MIT
#define CAF_SUITE runtime.nats.write_backlog

#include "runtime/nats/write_backlog.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>

using namespace fantail;
using fantail::nats::write_backlog;

CAF_TEST(messages come out as they went in) {
  std::mt19937_64 random{test_seed()};
  std::deque<std::array<std::string, 4>> model;
  write_backlog backlog;
  auto text = [&](size_t most) {
    return std::string(random() % (most + 1),
                       static_cast<char>('a' + random() % 26));
  };
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0) {
      // Now and then one that is larger than a chunk.
      auto body = text(random() % 500 == 0 ? 1 << 20 : 2'000);
      model.push_back({"s" + text(20), std::move(body), text(5), text(30)});
      auto& x = model.back();
      backlog.push({x[0], x[1], x[2], x[3]});
    } else if (!model.empty()) {
      auto x = backlog.front();
      auto& wanted = model.front();
      CAF_REQUIRE(x.subject == wanted[0] && x.body == wanted[1]
                  && x.reply == wanted[2] && x.headers == wanted[3]);
      backlog.pop();
      model.pop_front();
    }
    CAF_REQUIRE_EQUAL(backlog.empty(), model.empty());
  }
  while (!model.empty()) {
    CAF_REQUIRE(backlog.front().body == model.front()[1]);
    backlog.pop();
    model.pop_front();
  }
  CAF_CHECK(backlog.empty());
  CAF_CHECK_EQUAL(backlog.byte_count(), 0u);
}
