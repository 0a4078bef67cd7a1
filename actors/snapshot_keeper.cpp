// SPDX-License-Identifier: MIT
#include "actors/snapshot_keeper.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

/// What may be sent at once after a pause: the rate of an eighth of a second.
constexpr size_t burst_bytes = limits::snapshot_bytes_per_second / 8;
static_assert(burst_bytes >= limits::snapshot_part_bytes);

/// Half a millisecond of touching memory.
constexpr size_t buffers_per_step = 2;

} // namespace

void snapshot_keeper_state::start(snapshot_keeper_deps x) {
  deps = std::move(x);
  now = deps.env.clock->now();
  rounds.emplace(deps.rounds, now);
  rate.emplace(double{limits::snapshot_bytes_per_second}, double{burst_bytes},
               now);
  next_id = deps.first_id;
  growth.resize(deps.presence.size());
  for (auto& snapshot : std::exchange(deps.loaded, {}))
    rounds->found(std::move(snapshot));
}

/// The snapshot at hand is given up; its shard has another turn.
void snapshot_keeper_state::recover() {
  writer.reset();
  buffers = nullptr;
  if (rounds->is_writing())
    rounds->failed(taking, now);
}

void snapshot_keeper_state::on_growth(const log_growth& x) {
  if (x.shard.value >= growth.size())
    return;
  growth[x.shard.value] = x;
  rounds->grown(x);
  begin_next();
}

void snapshot_keeper_state::begin_next() {
  auto of = rounds->next(now);
  if (!of)
    return;
  taking = *of;
  // About as much as the last time.
  auto& kept = rounds->kept(taking);
  auto bytes = kept.empty() ? 0 : kept.back().about.image_bytes;
  buffers_wanted = bytes / limits::snapshot_part_bytes + 2;
  buffers = std::make_shared<std::vector<std::string>>();
  on_prepare();
}

void snapshot_keeper_state::on_prepare() {
  // The attempt was given up meanwhile.
  if (!buffers)
    return;
  for (size_t i = 0; i < buffers_per_step; ++i)
    buffers->emplace_back(limits::snapshot_part_bytes, '\0');
  if (buffers->size() < buffers_wanted)
    self->send(self, prepare_buffers{});
  else if (taking.what == snapshot_source::kind::presence)
    self->send(deps.presence[taking.shard], take_snapshot{std::move(buffers)});
  else
    self->send(deps.routing[taking.shard], take_snapshot{std::move(buffers)});
}

void snapshot_keeper_state::on_taken(const snapshot_taken& x) {
  // One whose chunks were taken out by an attempt that failed is none.
  if (!x.image || x.image->chunks.empty()) {
    rounds->failed(x.of, now);
    return;
  }
  writer.emplace(x.of, next_id++, std::move(x.image->about),
                 std::move(x.image->chunks));
  write();
}

void snapshot_keeper_state::write() {
  // Parts are stored faster than ticks come.
  now = deps.env.clock->now();
  while (writer
         && rate->available(now) >= double{limits::snapshot_part_bytes}) {
    auto part = writer->next(limits::snapshot_bytes_under_way);
    if (!part)
      return;
    rate->try_take(static_cast<double>(part->size()), now);
    deps.env.counts->snapshots.bytes.add(part->size());
    // The store is closed before the actors end, so the handles it keeps do
    // not keep the actor alive for ever.
    deps.store->append(
        writer->of(), std::move(*part),
        [me = handle_of(*this), id = writer->id()](uint64_t sequence) {
          caf::anon_send(me, part_stored{id, sequence});
        });
  }
}

void snapshot_keeper_state::on_stored(const part_stored& x) {
  // Of an attempt that was given up.
  if (!writer || x.id != writer->id())
    return;
  if (x.sequence == 0) {
    give_up("the stream did not take a part");
    return;
  }
  writer->stored(x.sequence);
  if (writer->is_complete())
    finish();
  else
    write();
}

void snapshot_keeper_state::give_up(std::string reason) {
  deps.env.reports->warn(
      name, "snapshot-not-written",
      {{"of", to_string(writer->of())}, {"reason", std::move(reason)}});
  deps.env.counts->snapshots.failed.add();
  rounds->failed(writer->of(), now);
  writer.reset();
}

void snapshot_keeper_state::finish() {
  auto& done = writer->result();
  deps.env.reports->report(report_port::severity::debug, name,
                           "snapshot-written",
                           {{"of", to_string(done.of)},
                            {"bytes", std::to_string(done.about.image_bytes)}});
  deps.env.counts->snapshots.written.add();
  rounds->written(done);
  writer.reset();
  auto superfluous = rounds->take_trim();
  for (auto& x : superfluous.streams)
    deps.store->trim(x.of, x.first_kept);
  for (auto& x : superfluous.logs) {
    deps.store->trim_log(x.shard, x.up_to);
    self->send(deps.presence[x.shard.value], log_trimmed{x.up_to});
  }
  begin_next();
}

void snapshot_keeper_state::on_tick(const tick& x) {
  now = x.now;
  sample_wait(deps.env, name, x);
  write();
  if (now < next_second)
    return;
  next_second = now + 1s;
  for (auto& shard : deps.presence)
    self->send(shard, ask_log_growth{});
  // One that failed waits for its time.
  begin_next();
  publish_counts();
}

void snapshot_keeper_state::publish_counts() {
  uint64_t behind = 0;
  for (auto& log : growth) {
    auto& kept = rounds->kept(source_of(log.shard));
    auto written = kept.empty() ? log_position{log.version_base}
                                : kept.back().about.log_of(log.shard).up_to;
    behind += log.log.up_to.value - std::min(written, log.log.up_to).value;
  }
  deps.env.counts->snapshots.records_behind.set(behind);
}

snapshot_keeper_actor::behavior_type
snapshot_keeper(component<snapshot_keeper_actor, snapshot_keeper_state>* self,
                snapshot_keeper_deps deps) {
  auto& state = enter(self, std::move(deps));
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [](const inspect_node&) {
        // What it knows is in the telemetry.
      },
      [&state](const log_growth& x) { state.on_growth(x); },
      [&state](const snapshot_taken& x) { state.on_taken(x); },
      [&state](const part_stored& x) { state.on_stored(x); },
      [&state](const prepare_buffers&) { state.on_prepare(); },
  };
}

} // namespace fantail
