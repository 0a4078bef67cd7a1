// SPDX-License-Identifier: MIT
#define CAF_SUITE core.snapshot.restart

#include "core/hash.hpp"
#include "core/presence/delta_outbound.hpp"
#include "core/presence/presence_ledger.hpp"
#include "core/routing/shard_router.hpp"
#include "core/snapshot/instance_names.hpp"
#include "core/snapshot/restore_plan.hpp"
#include "core/snapshot/snapshot_rounds.hpp"
#include "tests/core/snapshot/part_stream.hpp"
#include "tests/seed.hpp"

#include "caf/test/unit_test.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <random>

using namespace fantail;
using namespace fantail::test;
using namespace std::chrono_literals;

namespace {

constexpr uint16_t presence_shards = 2;
constexpr uint16_t shards = 3;
constexpr time_point start{1h};

/// What outlives every crash: logs and streams.
struct disk {
  std::vector<presence_record> logs[presence_shards];
  /// Records trimmed from the head of each log.
  uint64_t trimmed[presence_shards] = {};
  std::map<snapshot_source, part_stream> streams;
};

/// The machines of a node, without actors: messages are queues that are
/// worked off in any order.
class life {
public:
  life(disk& on, std::mt19937_64& random, bool writes_snapshots)
      : disk_(on), random_(random), writes_(writes_snapshots) {
    restore();
  }

  /// Does one thing; false if there is nothing more to do.
  bool step() {
    for (size_t tries = 0; tries < 200; ++tries)
      if (try_step(random_() % 6))
        return true;
    return false;
  }

  void run_to_the_end() {
    auto is_done = [this] {
      for (uint16_t p = 0; p < presence_shards; ++p)
        if (read_[p] < disk_.logs[p].size() || outbound_[p]->unapplied() > 0)
          return false;
      return true;
    };
    while (!is_done())
      step();
  }

  /// Names of the channels with the users on each instance.
  std::map<std::string, std::map<std::string, uint32_t>> table() const {
    std::map<std::string, std::map<std::string, uint32_t>> result;
    for (auto& router : routers_)
      for (int i = 0; i < 40; ++i) {
        auto channel = "c" + std::to_string(i);
        for (auto& stop : router->route_of(channel).stops)
          result[channel][std::string{instances_.name_of(stop.instance)}]
              = stop.users;
      }
    return result;
  }

  size_t problems() const {
    size_t result = 0;
    for (auto& x : ledgers_)
      result += x->check_invariants().has_value();
    for (auto& x : routers_)
      result += !x->check_invariants();
    return result;
  }

  uint64_t snapshots_used = 0;
  uint64_t damage_met = 0;
  uint64_t snapshots_written = 0;

private:
  // -- start

  void restore() {
    snapshot_rounds_config config;
    config.shards = shards;
    config.presence_shards = presence_shards;
    config.records = 25;
    rounds_.emplace(config, start);
    for (uint16_t s = 0; s < shards; ++s)
      restore_router(s);
    for (uint16_t p = 0; p < presence_shards; ++p)
      restore_ledger(p, search(source_of(presence_shard_id{p})));
  }

  std::vector<stored_snapshot> search(snapshot_source of) {
    return disk_.streams[of].search(of).found();
  }

  template <class Load>
  bool load(const stored_snapshot& x, Load f) {
    auto parts = disk_.streams[x.of].read(x);
    auto in = parts.image();
    auto numbers = load_instances(in, instances_);
    if (in.ok())
      f(in, numbers);
    snapshots_used += in.ok();
    damage_met += !in.ok();
    if (in.ok())
      rounds_->found(x);
    return in.ok();
  }

  void restore_router(uint16_t s) {
    for (auto& x : search(source_of(shard_id{s}))) {
      auto router = std::make_unique<shard_router>(shard_id{s});
      if (load(x,
               [&](auto& in, auto& numbers) { router->load(in, numbers); })) {
        routers_.push_back(std::move(router));
        return;
      }
    }
    routers_.push_back(std::make_unique<shard_router>(shard_id{s}));
  }

  void restore_ledger(uint16_t p, std::vector<stored_snapshot> snapshots) {
    presence_shard_id shard{p};
    std::vector<log_progress> known;
    for (auto& router : routers_)
      known.push_back(router->log_of(shard));
    outbound_[p] = std::make_unique<delta_outbound>(shard, shards);
    while (true) {
      auto& log = disk_.logs[p];
      auto plan = plan_presence_start(
          shard, {"t1", disk_.trimmed[p] + 1, log.size()}, snapshots, known);
      if (plan.is_lost || !plan.resync.empty() || !plan.outdated.empty())
        CAF_FAIL("nothing knows what was in log " << p);
      ledgers_[p] = std::make_unique<presence_ledger>(
          presence_ledger_config{shards, 120s, 5s, start}, instances_);
      if (!plan.snapshot)
        break;
      if (load(snapshots[*plan.snapshot], [&](auto& in, auto& numbers) {
            ledgers_[p]->load(in, numbers, start);
          }))
        break;
      snapshots.erase(snapshots.begin()
                      + static_cast<ptrdiff_t>(*plan.snapshot));
    }
    read_[p] = ledgers_[p]->applied().value;
    CAF_REQUIRE(read_[p] >= disk_.trimmed[p]);
  }

  // -- work

  bool try_step(uint64_t what) {
    auto p = static_cast<uint16_t>(random_() % presence_shards);
    switch (what) {
    case 0:
    case 1:
      return read_record(p);
    case 2:
      return send_deltas(p);
    case 3:
      return apply_delta();
    default:
      return writes_ && (writer_ ? write_part() : begin_snapshot());
    }
  }

  log_progress progress(uint16_t p) const {
    return {log_life_of("t1", 0), ledgers_[p]->applied()};
  }

  bool read_record(uint16_t p) {
    if (read_[p] == disk_.logs[p].size() || outbound_[p]->is_full())
      return false;
    std::vector<routed_change> changes;
    ledgers_[p]->apply(disk_.logs[p][read_[p]++], start, changes);
    for (auto& x : changes)
      outbound_[p]->add(x.to, std::move(x.change));
    outbound_[p]->reached(progress(p));
    return true;
  }

  bool send_deltas(uint16_t p) {
    if (random_() % 3 == 0)
      outbound_[p]->tell_reached();
    std::vector<presence_delta_ptr> deltas;
    outbound_[p]->take_deltas(deltas);
    for (auto& x : deltas)
      under_way_[p][x->to.value].push_back(x);
    return !deltas.empty();
  }

  bool apply_delta() {
    auto p = random_() % presence_shards;
    auto s = random_() % shards;
    auto& queue = under_way_[p][s];
    if (queue.empty())
      return false;
    CAF_REQUIRE(routers_[s]->apply(*queue.front()) == delta_outcome::applied);
    outbound_[p]->applied(queue.front()->to, queue.front()->number, {});
    queue.pop_front();
    return true;
  }

  bool begin_snapshot() {
    for (uint16_t p = 0; p < presence_shards; ++p)
      rounds_->grown({presence_shard_id{p}, progress(p), 0, 0});
    auto of = rounds_->next(start);
    if (!of)
      return false;
    byte_writer out{snapshot_part_head + 300, snapshot_part_head};
    save_instances(instances_, out);
    snapshot_descriptor about;
    if (of->what == snapshot_source::kind::presence) {
      about.created_at = "t1";
      about.logs.emplace_back(presence_shard_id{of->shard},
                              progress(of->shard));
      ledgers_[of->shard]->save(out);
    } else {
      for (uint16_t p = 0; p < presence_shards; ++p)
        about.logs.emplace_back(
            presence_shard_id{p},
            routers_[of->shard]->log_of(presence_shard_id{p}));
      routers_[of->shard]->save(out);
    }
    writer_.emplace(*of, random_(), about, out.take());
    return true;
  }

  bool write_part() {
    auto part = writer_->next(1'000);
    if (!part)
      return false;
    writer_->stored(disk_.streams[writer_->of()].append(std::move(*part)));
    if (!writer_->is_complete())
      return true;
    ++snapshots_written;
    rounds_->written(writer_->result());
    writer_.reset();
    auto superfluous = rounds_->take_trim();
    for (auto& x : superfluous.streams)
      disk_.streams[x.of].trim(x.first_kept);
    for (auto& x : superfluous.logs)
      disk_.trimmed[x.shard.value]
          = std::max(disk_.trimmed[x.shard.value], x.up_to.value);
    return true;
  }

  disk& disk_;
  std::mt19937_64& random_;
  bool writes_;
  instance_directory instances_;
  std::unique_ptr<presence_ledger> ledgers_[presence_shards];
  std::unique_ptr<delta_outbound> outbound_[presence_shards];
  std::vector<std::unique_ptr<shard_router>> routers_;
  std::deque<presence_delta_ptr> under_way_[presence_shards][shards];
  size_t read_[presence_shards] = {};
  std::optional<snapshot_rounds> rounds_;
  std::optional<snapshot_writer> writer_;
};

void write_record(disk& on, std::mt19937_64& random) {
  auto pick = [&](const char* prefix, uint64_t below) {
    return prefix + std::to_string(random() % below);
  };
  presence_record x;
  x.user = pick("u", 50);
  auto& log = on.logs[presence_shard_of(x.user, presence_shards).value];
  x.version = log_position{log.size() + 1};
  x.stored_at_ns = static_cast<int64_t>(log.size());
  x.update.op = static_cast<presence_op>(random() % 6);
  x.update.session = pick("s", 3);
  x.update.instance = pick("i", 9);
  x.update.has_channels = random() % 2 == 0;
  for (auto left = random() % 5; left > 0; --left)
    x.update.channels.push_back(pick("c", 40));
  log.push_back(std::move(x));
}

/// Damages a part of the newest snapshot of some shard that has two.
void damage_one(disk& on, std::mt19937_64& random) {
  auto i = on.streams.begin();
  std::advance(i, random() % std::max<size_t>(on.streams.size(), 1));
  if (i == on.streams.end())
    return;
  auto found = i->second.search(i->first).found();
  if (found.size() < 2)
    return;
  auto& newest = found.front();
  auto at = newest.first + random() % (newest.last - newest.first + 1);
  auto& part = i->second.parts[at];
  part[random() % part.size()] ^= static_cast<char>(1 << random() % 8);
}

} // namespace

CAF_TEST(whatever moment a node dies at the table is exact afterwards) {
  auto seed = test_seed();
  uint64_t used = 0, written = 0, damaged = 0, trimmed = 0;
  for (uint64_t round = 0; round < 25; ++round) {
    std::mt19937_64 random{seed + round};
    disk on;
    auto current = std::make_unique<life>(on, random, true);
    for (size_t records = 0; records < 600;) {
      for (auto steps = random() % 400; steps > 0; --steps) {
        if (random() % 8 == 0) {
          write_record(on, random);
          ++records;
        }
        current->step();
      }
      written += current->snapshots_written;
      // It dies in the middle of whatever it did.
      current.reset();
      if (random() % 2 == 0)
        damage_one(on, random);
      current = std::make_unique<life>(on, random, true);
      used += current->snapshots_used;
      damaged += current->damage_met;
    }
    current->run_to_the_end();
    disk whole;
    for (uint16_t p = 0; p < presence_shards; ++p) {
      whole.logs[p] = on.logs[p];
      trimmed += on.trimmed[p];
    }
    life reference{whole, random, false};
    reference.run_to_the_end();
    CAF_REQUIRE_EQUAL(current->problems(), 0u);
    CAF_CHECK(current->table() == reference.table());
  }
  CAF_MESSAGE(written << " snapshots written, " << used << " used, " << damaged
                      << " damaged, " << trimmed << " records trimmed");
  CAF_CHECK(written > 100 && used > 100 && trimmed > 100);
}
