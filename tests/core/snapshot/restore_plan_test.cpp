// SPDX-License-Identifier: MIT
#define CAF_SUITE core.snapshot.restore_plan

#include "core/hash.hpp"
#include "core/snapshot/restore_plan.hpp"

#include "caf/test/unit_test.hpp"

using namespace fantail;

namespace {

constexpr presence_shard_id p{2};

stored_snapshot ledger(uint64_t up_to, const char* life = "t1",
                       uint64_t base = 0) {
  stored_snapshot x;
  x.of = source_of(p);
  x.about.created_at = life;
  x.about.version_base = base;
  x.about.logs.push_back({p, {log_life_of(life, base), log_position{up_to}}});
  return x;
}

log_progress known(uint64_t up_to, const char* life = "t1", uint64_t base = 0) {
  return {log_life_of(life, base), log_position{up_to}};
}

using shards = std::vector<shard_id>;

} // namespace

CAF_TEST(the newest ledger no routing shard is behind is taken) {
  found_log log{"t1", 51, 200};
  std::vector ledgers{ledger(150), ledger(100), ledger(60)};
  auto plan = plan_presence_start(p, log, ledgers, {known(180), known(150)});
  CAF_CHECK(plan.snapshot == 0u && plan.resync.empty() && !plan.is_lost);
  plan = plan_presence_start(p, log, ledgers, {known(180), known(149)});
  CAF_CHECK(plan.snapshot == 1u);
  plan = plan_presence_start(p, log, ledgers, {known(180), known(60)});
  CAF_CHECK(plan.snapshot == 2u && plan.outdated.empty());
}

CAF_TEST(a shard further behind than every ledger needs everything anew) {
  found_log log{"t1", 51, 200};
  std::vector ledgers{ledger(150), ledger(100)};
  auto plan = plan_presence_start(p, log, ledgers,
                                  {known(180), {}, known(120), known(99)});
  CAF_CHECK(plan.snapshot == 0u);
  CAF_CHECK((plan.resync == shards{shard_id{1}, shard_id{2}, shard_id{3}}));
}

CAF_TEST(a whole log needs no snapshot) {
  for (auto& log : {found_log{"t1", 1, 200}, found_log{"t1", 0, 0}}) {
    auto plan = plan_presence_start(p, log, {}, {{}, {}});
    CAF_CHECK(!plan.snapshot && plan.resync.empty() && !plan.is_lost);
  }
  auto plan = plan_presence_start(p, {"t1", 1, 200}, {ledger(100)},
                                  {known(50), known(150)});
  CAF_CHECK(!plan.snapshot && plan.outdated.empty() && plan.resync.empty());
}

CAF_TEST(a trimmed log without a ledger is lost) {
  auto plan = plan_presence_start(p, {"t1", 51, 200}, {}, {known(100)});
  CAF_CHECK(plan.is_lost);
  // The snapshot does not reach to where the log begins.
  plan = plan_presence_start(p, {"t1", 51, 200}, {ledger(49)}, {known(100)});
  CAF_CHECK(plan.is_lost);
  plan = plan_presence_start(p, {"t1", 51, 200}, {ledger(50)}, {known(100)});
  CAF_CHECK(plan.snapshot == 0u && !plan.is_lost);
}

CAF_TEST(a log that was trimmed completely goes on) {
  auto plan
      = plan_presence_start(p, {"t1", 201, 200}, {ledger(200)}, {known(200)});
  CAF_CHECK(plan.snapshot == 0u && plan.resync.empty());
}

CAF_TEST(what belongs to another life of the log is forgotten) {
  auto plan = plan_presence_start(p, {"t2", 1, 10}, {ledger(100)},
                                  {known(100), known(4, "t2"), {}});
  CAF_CHECK(!plan.snapshot && !plan.is_lost && plan.resync.empty());
  CAF_CHECK(plan.outdated == shards{shard_id{0}});
}

CAF_TEST(what a log lost at its end was never known) {
  std::vector ledgers{ledger(150), ledger(100)};
  auto plan = plan_presence_start(p, {"t1", 51, 120}, ledgers,
                                  {known(150), known(110)});
  CAF_CHECK(plan.outdated == shards{shard_id{0}});
  CAF_CHECK(plan.resync == shards{shard_id{0}});
  CAF_CHECK(plan.snapshot == 1u);
}

CAF_TEST(versions go on after a log that began anew under a node) {
  std::vector ledgers{ledger(1'100, "t2", 1'000), ledger(900)};
  auto plan = plan_presence_start(p, {"t2", 1, 120}, ledgers,
                                  {known(1'105, "t2", 1'000)});
  CAF_CHECK(plan.snapshot == 0u && plan.outdated.empty());
  // Without a ledger of the new life its versions count from 1 again.
  plan = plan_presence_start(p, {"t2", 1, 120}, {ledger(900)},
                             {known(1'105, "t2", 1'000)});
  CAF_CHECK(!plan.snapshot && plan.outdated == shards{shard_id{0}});
}
