// SPDX-License-Identifier: MIT
#include "app/restore.hpp"

#include "core/snapshot/instance_names.hpp"
#include "core/snapshot/restore_plan.hpp"
#include "core/snapshot/snapshot_reader.hpp"
#include "core/subject.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

namespace fantail {

namespace {

/// Two are kept of each routing shard, more of a presence shard if routing
/// shards need them; one may be on its way.
constexpr size_t snapshots_max = 16;

/// Reading waits for the server, so a few more threads than cores do no harm;
/// each holds the bytes of one shard.
constexpr size_t threads_max = 4;

/// Calls `f(i)` for all i below `count`, on several threads.
template <class F>
void for_all(size_t count, F f) {
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t i; (i = next++) < count;)
      f(i);
  };
  auto cores = std::max<size_t>(std::thread::hardware_concurrency(), 1);
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min({threads_max, cores, count}); ++i)
    others.emplace_back(work);
  work();
  for (auto& x : others)
    x.join();
}

class restorer {
public:
  explicit restorer(node_parts& parts)
      : parts_(parts), shards_(parts.config.cluster.shards),
        presence_shards_(parts.config.cluster.presence_shards),
        of_routing_(shards_), of_presence_(presence_shards_),
        logs_(presence_shards_) {
    result_.routers.resize(shards_);
    result_.ledgers.resize(presence_shards_);
  }

  std::variant<restored_state, start_failure> run() {
    for_all(size_t{shards_} + presence_shards_, [this](size_t i) {
      if (i < shards_)
        search(source_of(shard_id{static_cast<uint16_t>(i)}), of_routing_[i]);
      else
        find_presence(static_cast<uint16_t>(i - shards_));
    });
    if (!failure_)
      for_all(shards_,
              [this](size_t i) { restore_router(static_cast<uint16_t>(i)); });
    for (uint16_t i = 0; i < presence_shards_ && !failure_; ++i)
      restore_ledger(i);
    if (failure_)
      return *failure_;
    return std::move(result_);
  }

private:
  void fail(std::string what) {
    std::lock_guard guard{mutex_};
    failure_ = start_failure{1, std::move(what)};
  }

  void report_damage(snapshot_source of, const std::string& what) {
    parts_.reports.warn("storage", "snapshot-damaged",
                        {{"of", to_string(of)}, {"reason", what}});
    parts_.counts.events.add("storage/snapshot-damaged");
  }

  void search(snapshot_source of, std::vector<stored_snapshot>& into) {
    auto outcome = parts_.snapshots->search(of, snapshots_max);
    if (auto* error = std::get_if<nats::api_error>(&outcome)) {
      fail("the snapshots of " + to_string(of)
           + " cannot be read: " + error->text);
      return;
    }
    auto& found = std::get<0>(outcome);
    for (auto& problem : found.problems)
      report_damage(of, problem);
    into = std::move(found.found);
  }

  void find_presence(uint16_t i) {
    presence_shard_id shard{i};
    search(source_of(shard), of_presence_[i]);
    auto stream = subjects::presence_stream(i);
    auto state = nats::wait_for<nats::stream_state>([&](auto done) {
      nats::read_stream_state(parts_.control->on(), stream, std::move(done));
    });
    if (auto* error = std::get_if<nats::api_error>(&state))
      fail("the state of " + stream + " cannot be read: " + error->text);
    else
      logs_[i] = {std::get<0>(state).created_at, std::get<0>(state).first,
                  std::get<0>(state).last};
  }

  /// Reads the image of `x` and hands it to `load`; false if it is no good.
  template <class Load>
  bool read_image(const stored_snapshot& x, Load load) {
    auto outcome = parts_.snapshots->read(x);
    if (auto* error = std::get_if<nats::api_error>(&outcome)) {
      fail("a snapshot of " + to_string(x.of)
           + " cannot be read: " + error->text);
      return false;
    }
    auto in = std::get<0>(outcome).image();
    auto numbers = load_instances(in, parts_.instances);
    if (in.ok())
      load(in, numbers);
    if (!in.ok()) {
      report_damage(x.of, in.problem());
      return false;
    }
    std::lock_guard guard{mutex_};
    result_.loaded.push_back(x);
    return true;
  }

  void restore_router(uint16_t i) {
    shard_id shard{i};
    auto& snapshots = of_routing_[i];
    while (!snapshots.empty() && !failed()) {
      auto router = std::make_shared<shard_router>(shard);
      if (read_image(snapshots.front(), [&](auto& in, auto& numbers) {
            router->load(in, numbers);
          })) {
        result_.routers[i] = std::move(router);
        return;
      }
      snapshots.erase(snapshots.begin());
    }
  }

  void restore_ledger(uint16_t i) {
    presence_shard_id shard{i};
    std::vector<log_progress> known;
    for (auto& router : result_.routers)
      known.push_back(router ? router->log_of(shard) : log_progress{});
    auto& snapshots = of_presence_[i];
    while (true) {
      auto plan = plan_presence_start(shard, logs_[i], snapshots, known);
      if (plan.is_lost || !plan.resync.empty()) {
        refuse(shard, plan);
        return;
      }
      if (plan.snapshot && !load_ledger(i, snapshots[*plan.snapshot])) {
        if (failed())
          return;
        snapshots.erase(snapshots.begin()
                        + static_cast<ptrdiff_t>(*plan.snapshot));
        continue;
      }
      for (auto outdated : plan.outdated)
        result_.routers[outdated.value]->forget(shard);
      return;
    }
  }

  bool load_ledger(uint16_t i, const stored_snapshot& x) {
    presence_ledger_config config;
    config.shards = shards_;
    config.ttl = parts_.config.presence.ttl;
    config.started = parts_.clock.now();
    auto ledger = std::make_shared<presence_ledger>(config, parts_.instances);
    if (!read_image(x, [&](auto& in, auto& numbers) {
          ledger->load(in, numbers, config.started);
          in.expect(ledger->applied()
                        == x.about.log_of(presence_shard_id{i}).up_to,
                    "the trailer names another position");
        }))
      return false;
    auto& to = result_.ledgers[i];
    to.version_base = x.about.version_base;
    to.created_at = x.about.created_at;
    to.read_to = position{ledger->applied().value - to.version_base};
    to.state = std::move(ledger);
    return true;
  }

  /// The seam of a full rebuild: whoever can tell a routing shard the users
  /// of a presence shard anew does so here.
  void refuse(presence_shard_id shard, const presence_start& plan) {
    std::string shards;
    for (auto x : plan.resync)
      shards += (shards.empty() ? "" : ", ") + std::to_string(x.value);
    auto stream = subjects::presence_stream(shard.value);
    auto& log = logs_[shard.value];
    parts_.reports.error("storage", "presence-log-not-covered",
                         {{"stream", stream},
                          {"first", std::to_string(log.first)},
                          {"last", std::to_string(log.last)},
                          {"created", log.created_at}});
    for (auto& x : of_presence_[shard.value])
      parts_.reports.error(
          "storage", "snapshot-not-usable",
          {{"of", to_string(x.of)},
           {"up_to", std::to_string(x.about.log_of(shard).up_to.value)},
           {"version_base", std::to_string(x.about.version_base)},
           {"created", x.about.created_at}});
    fail(stream + " was trimmed, and no good snapshot says what was in it"
         + (shards.empty() ? "" : " (missing in routing shards " + shards + ")")
         + ". Restore the server's data from a copy; or delete " + stream
         + " and have the presence of its users sent again");
  }

  bool failed() {
    std::lock_guard guard{mutex_};
    return failure_.has_value();
  }

  node_parts& parts_;
  uint16_t shards_;
  uint16_t presence_shards_;
  std::vector<std::vector<stored_snapshot>> of_routing_;
  std::vector<std::vector<stored_snapshot>> of_presence_;
  std::vector<found_log> logs_;
  restored_state result_;
  std::mutex mutex_;
  std::optional<start_failure> failure_;
};

} // namespace

std::variant<restored_state, start_failure> restore(node_parts& parts) {
  return restorer{parts}.run();
}

} // namespace fantail
