// SPDX-License-Identifier: MIT
#define CAF_SUITE core.membership.member_record

#include "core/limits.hpp"
#include "core/membership/list_changes.hpp"
#include "core/membership/member_record.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <random>
#include <set>

using namespace fantail;

namespace {

channel_list list_of(const std::set<std::string>& names) {
  channel_list result;
  for (auto& name : names)
    result.push_back(name);
  return result;
}

std::string random_token(std::mt19937_64& random, size_t size_max) {
  constexpr std::string_view letters
      = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  std::string result(1 + random() % size_max, ' ');
  for (auto& c : result)
    c = letters[random() % letters.size()];
  return result;
}

std::set<std::string> random_names(std::mt19937_64& random, size_t count,
                                   size_t size_max) {
  std::set<std::string> result;
  for (size_t i = 0; i < count; ++i)
    result.insert(random_token(random, size_max));
  return result;
}

std::set<std::string> numbered(size_t count) {
  std::set<std::string> result;
  for (size_t i = 0; i < count; ++i)
    result.insert("channel-" + std::to_string(100'000 + i * 37 % 900'000));
  return result;
}

} // namespace

CAF_TEST(a record gives back what was written) {
  std::mt19937_64 random{test_seed()};
  for (int i = 0; i < 200; ++i) {
    auto user = random_token(random, limits::token_bytes_max);
    auto names = list_of(random_names(random, random() % 50, 128));
    auto version = log_position{random()};
    auto record = member_record::encode(user, version, names);
    CAF_REQUIRE(record);
    auto header = member_record::read_header(*record);
    CAF_REQUIRE(header);
    CAF_CHECK_EQUAL(header->user, user);
    CAF_CHECK(header->version == version);
    CAF_CHECK(header->digest == digest_of(names));
    channel_list again;
    CAF_REQUIRE(member_record::decode(*record, again));
    CAF_CHECK(again == names);
  }
}

CAF_TEST(large lists fit a message and are compressed) {
  for (size_t count : {1'000u, 10'000u, 20'000u}) {
    auto names = list_of(numbered(count));
    auto record = member_record::encode("u", log_position{1}, names);
    CAF_REQUIRE(record);
    CAF_MESSAGE(count << " names take " << record->size() << " bytes");
    CAF_CHECK_LESS(record->size(), count * 6);
    channel_list again;
    CAF_REQUIRE(member_record::decode(*record, again));
    CAF_CHECK(again == names);
  }
}

CAF_TEST(a list beyond a message is refused) {
  std::mt19937_64 random{test_seed()};
  std::set<std::string> names;
  while (names.size() < limits::channels_per_user_max)
    names.insert("x" + random_token(random, 1) + std::to_string(random())
                 + random_token(random, 100));
  CAF_CHECK(!member_record::encode("u", log_position{1}, list_of(names)));
}

CAF_TEST(damage is noticed) {
  std::mt19937_64 random{test_seed()};
  channel_list ignored;
  for (size_t count : {20u, 6'000u}) {
    auto record = *member_record::encode("user", log_position{7},
                                         list_of(numbered(count)));
    for (int i = 0; i < 300; ++i) {
      auto damaged = record;
      damaged[random() % damaged.size()]
          ^= static_cast<char>(1 + random() % 255);
      CAF_CHECK(!member_record::decode(damaged, ignored));
      damaged = record.substr(0, random() % record.size());
      CAF_CHECK(!member_record::decode(damaged, ignored));
    }
  }
  CAF_CHECK(!member_record::decode({}, ignored));
}

CAF_TEST(
    bytes that were never a record are no record even if the sum is right) {
  std::mt19937_64 random{test_seed()};
  auto record
      = *member_record::encode("user", log_position{7}, list_of(numbered(20)));
  channel_list ignored;
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto forged = record;
    for (int k = 0; k < 3; ++k)
      forged[8 + random() % (forged.size() - 8)] = static_cast<char>(random());
    member_record::seal(forged);
    taken += member_record::decode(forged, ignored) ? 1 : 0;
  }
  // A version may be any, and so may a part of a user's name.
  CAF_CHECK_LESS(taken, 5'000);
}

CAF_TEST(changes say of each channel whether the user is in it) {
  std::mt19937_64 random{test_seed()};
  for (int round = 0; round < 300; ++round) {
    auto base = random_names(random, random() % 30, 2);
    auto model = base;
    list_changes changes;
    for (auto left = random() % 6; left > 0; --left) {
      auto names = random_names(random, random() % 20, 2);
      switch (random() % 5) {
      case 0:
        changes.set(list_of(names));
        model = names;
        break;
      case 1:
      case 2:
        changes.join(list_of(names));
        model.insert(names.begin(), names.end());
        break;
      default:
        changes.leave(list_of(names));
        for (auto& name : names)
          model.erase(name);
      }
    }
    CAF_REQUIRE(changes.applied_to(list_of(base)) == list_of(model));
    // What is repeated over a list that has it already changes nothing.
    CAF_REQUIRE(changes.applied_to(list_of(model)) == list_of(model));
    list_changes again;
    CAF_REQUIRE(again.restore(changes.bytes(), changes.is_whole()));
    CAF_REQUIRE(again.applied_to(list_of(base)) == list_of(model));
  }
}

CAF_TEST(changes are not restored from arbitrary bytes) {
  std::mt19937_64 random{test_seed()};
  list_changes changes;
  for (int i = 0; i < 2'000; ++i) {
    std::string bytes(random() % 40, ' ');
    for (auto& c : bytes)
      c = static_cast<char>(random() % 4 == 0 ? 'j' : random());
    if (changes.restore(bytes, false))
      changes.applied_to({});
  }
  CAF_CHECK(!changes.restore("j", false));
  CAF_CHECK(!changes.restore(std::string_view{"j\5abc", 5}, false));
  CAF_CHECK(!changes.restore(std::string_view{"x\1a", 3}, false));
}
