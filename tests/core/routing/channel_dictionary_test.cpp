// SPDX-License-Identifier: MIT
#define CAF_SUITE core.routing.channel_dictionary

#include "core/hash.hpp"
#include "core/limits.hpp"
#include "core/routing/channel_dictionary.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <map>
#include <random>
#include <set>
#include <string>

using namespace fantail;

namespace {

row_id intern(channel_dictionary& x, std::string_view name) {
  channel_dictionary::lookup request{name};
  x.find({&request, 1});
  if (request.row == no_row)
    x.intern(request);
  return request.row;
}

} // namespace

CAF_TEST(a name keeps its row until it is erased) {
  channel_dictionary x;
  CAF_CHECK_EQUAL(x.find("general").value, no_row.value);
  auto row = intern(x, "general");
  CAF_CHECK_EQUAL(intern(x, "general").value, row.value);
  CAF_CHECK_EQUAL(x.name_of(row), "general");
  CAF_CHECK_EQUAL(x.size(), 1u);
  x.erase(row);
  CAF_CHECK_EQUAL(x.find("general").value, no_row.value);
  CAF_CHECK(!x.in_use(row));
  CAF_CHECK_EQUAL(x.size(), 0u);
}

CAF_TEST(the row of an erased name goes to the next new one) {
  channel_dictionary x;
  auto first = intern(x, "first");
  intern(x, "second");
  x.erase(first);
  CAF_CHECK_EQUAL(intern(x, "third").value, first.value);
  CAF_CHECK_EQUAL(x.row_bound(), 2u);
}

CAF_TEST(the shortest and the longest names are told apart) {
  channel_dictionary x;
  std::string longest(limits::token_bytes_max, 'a');
  auto almost = longest;
  almost.back() = 'b';
  std::set<row_id> rows{intern(x, "a"), intern(x, longest), intern(x, almost)};
  CAF_CHECK_EQUAL(rows.size(), 3u);
  CAF_CHECK_EQUAL(x.name_of(x.find(almost)), almost);
}

CAF_TEST(names whose hashes agree in 32 bits are told apart) {
  // Among n names, n^2 / 2^33 pairs agree: 300,000 have about ten.
  std::map<uint32_t, std::string> seen;
  size_t collisions = 0;
  for (int i = 0; i < 300'000; ++i) {
    auto name = "ch_" + std::to_string(i);
    auto [twin, is_new]
        = seen.emplace(static_cast<uint32_t>(table_hash(name)), name);
    if (is_new)
      continue;
    ++collisions;
    channel_dictionary x;
    auto row = intern(x, twin->second);
    channel_dictionary::lookup other{name};
    x.find({&other, 1});
    CAF_CHECK_EQUAL(other.row.value, no_row.value);
    CAF_CHECK(intern(x, name) != row);
    x.erase(row);
    CAF_CHECK_EQUAL(x.name_of(x.find(name)), name);
    CAF_CHECK_EQUAL(x.find(twin->second).value, no_row.value);
  }
  CAF_CHECK(collisions > 0);
}

CAF_TEST(names come and go as in a map) {
  std::mt19937_64 random{test_seed()};
  channel_dictionary x;
  std::map<std::string, row_id> model;
  size_t wrong = 0, broken = 0;
  for (int step = 0; step < 400'000; ++step) {
    // The world grows, then shrinks: tables are resized both ways.
    auto grows = step % 200'000 < 100'000;
    auto name = "ch_" + std::to_string(random() % 20'000);
    auto known = model.find(name);
    auto row = x.find(name);
    wrong += row != (known == model.end() ? no_row : known->second);
    if (known == model.end() && (grows || random() % 4 == 0)) {
      model[name] = intern(x, name);
    } else if (known != model.end() && (!grows || random() % 4 == 0)) {
      x.erase(known->second);
      model.erase(known);
    }
    if (step % 20'000 == 0)
      broken += !x.check_invariants();
  }
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK_EQUAL(broken, 0u);
  CAF_CHECK_EQUAL(x.size(), model.size());
}

CAF_TEST(a batch of lookups answers like single ones) {
  channel_dictionary x;
  for (int i = 0; i < 1000; i += 2)
    intern(x, "ch_" + std::to_string(i));
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i)
    names.push_back("ch_" + std::to_string(i));
  std::vector<channel_dictionary::lookup> batch;
  for (auto& name : names)
    batch.push_back({name});
  x.find(batch);
  size_t wrong = 0;
  for (size_t i = 0; i < names.size(); ++i)
    wrong += batch[i].row != x.find(names[i])
             || (batch[i].row == no_row) != (i % 2 == 1);
  CAF_CHECK_EQUAL(wrong, 0u);
}
