// SPDX-License-Identifier: MIT
#include "actors/partitioner.hpp"

#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

constexpr auto source_trim_interval = 10s;

} // namespace

void partitioner_state::start(partitioner_deps x) {
  deps = std::move(x);
  now = deps.env.clock->now();
  machine.emplace(deps.shards, deps.stream);
  machine->begin(deps.created_at, deps.republished);
  created_at = deps.created_at;
  checkpointed = deps.republished;
  auto me = handle_of(*this);
  // The writer is closed before the actors end, so the handle it keeps does
  // not keep the actor alive for ever.
  deps.writer->attach({
      [me](std::vector<shard_writer_port::answer> answers) {
        caf::anon_send(me, records_answered{std::move(answers)});
      },
      [me](shard_id shard, uint64_t attempt,
           std::optional<shard_writer_port::stream_end> end) {
        caf::anon_send(me, shard_end_found{shard, attempt, std::move(end)});
      },
      [me](bool is_up) { caf::anon_send(me, link_changed{is_up}); },
  });
}

void partitioner_state::on_found(const log_found& x) {
  source = sender_of_current<puller_actor>(self);
  if (created_at != x.state.created_at) {
    created_at = x.state.created_at;
    machine->begin(created_at, machine->republished());
  }
  if (!catch_up_to)
    catch_up_to = deps.is_unmixed ? x.state.last : position{};
  check_caught_up();
}

void partitioner_state::on_pulled(const pulled& x) {
  machine->add(x.events);
  deps.env.counts->events.add(deps.source + "/republished", x.events->size());
  note_progress();
  pump();
}

void partitioner_state::on_lost(const positions_lost& x) {
  // Nobody knows to which shards they would have gone; the puller has
  // reported them.
  deps.env.counts->events.add(deps.source + "/lost-before-republishing",
                              x.to.value - x.from.value);
}

void partitioner_state::on_restarted(const log_restarted& x) {
  created_at = x.state.created_at;
  machine->begin(created_at, position{0});
  checkpointed = position{0};
  deps.env.reports->warn(name, "source-began-anew", {{"stream", deps.stream}});
}

void partitioner_state::pump() {
  if (!is_link_up)
    return;
  for (uint16_t i = 0; i < deps.shards; ++i) {
    auto shard = shard_id{i};
    auto& lane = machine->lane(shard);
    if (lane.wants_end(now))
      deps.writer->read_end(shard, lane.attempt());
    while (auto next = lane.next(now))
      publish(shard, *next);
  }
  deps.writer->flush();
}

void partitioner_state::publish(shard_id shard,
                                const republish_lane::outgoing& x) {
  auto event = (*x.what.source)[x.what.event];
  auto lines = "Nats-Msg-Id: " + machine->id_of(event.pos)
               + "\r\nNats-Expected-Last-Sequence: " + std::to_string(x.behind)
               + "\r\n";
  if (x.after)
    lines += "Nats-Expected-Last-Msg-Id: " + machine->id_of(*x.after) + "\r\n";
  auto wrapped = wrap_event(event.headers, event.body, lines);
  auto subject = deps.prefix_of(shard.value) + std::string{event.channel};
  // If the link is down, the lane hears of it soon and begins again.
  deps.writer->publish(shard, machine->lane(shard).attempt(), subject,
                       wrapped.headers, wrapped.body);
}

void partitioner_state::on_answers(const records_answered& x) {
  for (auto& answer : x.answers)
    machine->answered(answer, now);
  note_progress();
  pump();
}

void partitioner_state::on_end(const shard_end_found& x) {
  machine->found_end(x.shard, x.attempt, x.end, now);
  note_progress();
  pump();
}

void partitioner_state::on_link(const link_changed& x) {
  is_link_up = x.is_up;
  machine->lost_link();
  pump();
}

void partitioner_state::note_progress() {
  auto moved = machine->take_progress();
  if (!moved)
    return;
  if (moved->bytes > 0 && source)
    self->send(source, pull_settled{moved->bytes});
  check_caught_up();
}

void partitioner_state::check_caught_up() {
  if (!catch_up_to || !machine->is_idle() || !deps.on_caught_up
      || machine->republished() < *catch_up_to)
    return;
  std::exchange(deps.on_caught_up, nullptr)();
}

void partitioner_state::on_tick(const tick& x) {
  now = x.now;
  sample_wait(deps.env, name, x);
  for (uint16_t i = 0; i < deps.shards; ++i)
    machine->lane(shard_id{i}).tick(now);
  pump();
  if (now < next_second || machine->republished() == checkpointed)
    return;
  next_second = now + 1s;
  checkpointed = machine->republished();
  deps.env.control->republished(deps.source, created_at, checkpointed);
  trim();
}

void partitioner_state::trim() {
  if (!deps.is_own || now < next_trim)
    return;
  // The checkpoint before this one is certain to be stored.
  deps.env.control->trim(deps.stream, trimmable);
  trimmable = checkpointed;
  next_trim = now + source_trim_interval;
}

partitioner_actor::behavior_type
partitioner(component<partitioner_actor, partitioner_state>* self,
            partitioner_deps deps) {
  auto& state = enter(self, std::move(deps));
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [](const inspect_node&) {
        // What it does shows in the streams of the shards.
      },
      // -- pull_sink_actor
      [&state](const pulled& x) { state.on_pulled(x); },
      [&state](const log_found& x) { state.on_found(x); },
      [&state](const positions_lost& x) { state.on_lost(x); },
      [&state](const log_restarted& x) { state.on_restarted(x); },
      [](const log_stalled&) {
        // Nothing here depends on knowing the end of the log.
      },
      // -- partitioner_actor
      [&state](const records_answered& x) { state.on_answers(x); },
      [&state](const shard_end_found& x) { state.on_end(x); },
      [&state](const link_changed& x) { state.on_link(x); },
  };
}

} // namespace fantail
