// SPDX-License-Identifier: MIT
#define CAF_SUITE core.presence.presence_ledger_snapshot

#include "core/presence/presence_ledger.hpp"
#include "tests/core/snapshot/damage.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <optional>
#include <random>

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

constexpr uint16_t shards = 4;
constexpr time_point start{1h};

/// Random records of a small world, so that users come, go and come back.
std::vector<presence_record> random_log(uint64_t seed, size_t size) {
  std::mt19937_64 random{seed};
  auto pick = [&](const char* prefix, uint64_t below) {
    return prefix + std::to_string(random() % below);
  };
  std::vector<presence_record> result;
  while (result.size() < size) {
    presence_record x;
    x.version = log_position{result.size() + 1};
    x.stored_at_ns = static_cast<int64_t>(result.size());
    x.user = pick("user-", 60);
    x.update.op = static_cast<presence_op>(random() % 6);
    x.update.session = pick("s", 5);
    x.update.instance = pick("i", 9);
    x.update.has_channels = random() % 2 == 0;
    for (auto left = random() % 4; left > 0; --left)
      x.update.channels.push_back(pick("c", 40));
    result.push_back(std::move(x));
  }
  return result;
}

/// A ledger with its instances; tells each change as a line.
struct keeper {
  instance_directory instances;
  presence_ledger ledger{{shards, 120s, 5s, start}, instances};
  std::vector<std::string> told;

  void play(const presence_record& record) {
    std::vector<routed_change> changes;
    // Damage may have made a user one whose rows were evicted.
    if (auto user = ledger.lacks_rows(record))
      ledger.restore(*user, {}, record, changes);
    auto outcome = ledger.apply(record, start, changes);
    told.push_back(std::to_string(record.version.value) + " "
                   + std::to_string(static_cast<int>(outcome.reason)) + " "
                   + std::to_string(outcome.shards));
    for (auto& x : changes) {
      auto text = std::to_string(x.to.value) + " "
                  + std::to_string(static_cast<int>(x.change.what)) + " "
                  + std::to_string(x.change.user.value) + " "
                  + std::to_string(x.change.version.value) + " ";
      // Numbers of instances are a directory's own affair.
      if (x.change.what <= user_change::kind::remove_instance)
        text += instances.name_of(x.change.instance);
      for (auto name : x.change.channels)
        text.append(" ").append(name);
      told.push_back(text);
    }
  }

  /// Loads into a directory that already knows `others`.
  bool load(const std::string& bytes, const instance_directory& from,
            std::initializer_list<const char*> others = {}) {
    for (auto* name : others)
      instances.intern(name);
    std::vector<instance_index> numbers;
    for (uint16_t i = 0; i < from.size(); ++i)
      numbers.push_back(*instances.intern(from.name_of(instance_index{i})));
    byte_reader in{bytes};
    ledger.load(in, numbers, start);
    if (!in.ok())
      CAF_MESSAGE(in.problem());
    return in.ok();
  }
};

} // namespace

CAF_TEST(a ledger goes on from a snapshot as if nothing had happened) {
  auto seed = test_seed();
  for (uint64_t round = 0; round < 30; ++round) {
    auto log = random_log(seed + round, 400);
    auto cut = static_cast<size_t>((seed + round * 37) % 400);
    keeper whole, before, after;
    for (size_t i = 0; i < log.size(); ++i) {
      if (i == cut)
        whole.told.clear();
      whole.play(log[i]);
      if (i < cut)
        before.play(log[i]);
    }
    CAF_REQUIRE(after.load(bytes_of(before.ledger), before.instances,
                           {"i7", "another"}));
    CAF_CHECK(after.ledger.applied() == before.ledger.applied());
    CAF_CHECK(!after.ledger.check_invariants());
    for (auto i = cut; i < log.size(); ++i)
      after.play(log[i]);
    CAF_CHECK(after.told == whole.told);
    CAF_CHECK(!after.ledger.check_invariants());
    CAF_CHECK_EQUAL(after.ledger.stats().sessions,
                    whole.ledger.stats().sessions);
  }
}

CAF_TEST(sessions live for a time to live after the load) {
  keeper before, after;
  for (auto& record : random_log(test_seed(), 100))
    before.play(record);
  CAF_REQUIRE(after.load(bytes_of(before.ledger), before.instances));
  std::vector<expired_session> expired;
  after.ledger.tick(start + 119s, expired);
  CAF_CHECK(expired.empty());
  after.ledger.tick(start + 121s, expired);
  CAF_CHECK_EQUAL(expired.size(), before.ledger.stats().sessions);
}

CAF_TEST(a ledger of another cluster is refused) {
  keeper before;
  instance_directory instances;
  presence_ledger other{{shards + 1, 120s, 5s, start}, instances};
  byte_writer out;
  before.ledger.save(out);
  auto bytes = out.take().front();
  byte_reader in{bytes};
  other.load(in, {}, start);
  CAF_CHECK(!in.ok());
}

CAF_TEST(damaged bytes end in an error and never in a crash) {
  auto seed = test_seed();
  keeper before;
  auto log = random_log(seed, 300);
  for (auto& record : log)
    before.play(record);
  size_t harmless = 0;
  constexpr size_t rounds = 4'000;
  auto found
      = load_damaged(bytes_of(before.ledger), seed, rounds, [&](auto& in) {
          keeper after;
          std::vector<instance_index> numbers;
          for (uint16_t i = 0; i < before.instances.size(); ++i)
            numbers.push_back(*after.instances.intern(
                before.instances.name_of(instance_index{i})));
          after.ledger.load(in, numbers, start);
          if (!in.ok())
            return;
          CAF_REQUIRE(!after.ledger.check_invariants());
          if (++harmless % 20 != 0)
            return;
          for (auto record : log) {
            record.version.value += after.ledger.applied().value % 1'000'000;
            after.play(record);
          }
          CAF_REQUIRE(!after.ledger.check_invariants());
        });
  CAF_MESSAGE(found << " of " << rounds << " found, the others harmless");
  CAF_CHECK(found > rounds / 3);
}
