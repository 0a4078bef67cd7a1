// SPDX-License-Identifier: MIT
#include "actors/supervisor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace fantail {

supervisor_state::~supervisor_state() {
  for (auto& x : running)
    if (x)
      caf::anon_send_exit(x, caf::exit_reason::kill);
}

void supervisor_state::start(supervisor_deps deps) {
  env = deps.env;
  for (auto& x : deps.children) {
    deps.spec.children.push_back(x.spec);
    starts.push_back(std::move(x.start));
  }
  running.resize(starts.size());
  machine.emplace(std::move(deps.spec));
  machine->begin(env.clock->now(), todo);
  carry_out();
}

double supervisor_state::jitter() {
  return std::uniform_real_distribution<>{}(random);
}

void supervisor_state::carry_out() {
  while (!todo.empty())
    for (auto& x : std::exchange(todo, {}))
      carry_out(x);
  tell_board();
}

void supervisor_state::tell_board() {
  auto now = env.clock->now();
  next_board = now + std::chrono::seconds{1};
  if (env.seat && machine)
    env.seat->record().board.write(board_of(*machine, now));
}

void supervisor_state::describe(json::object& out) {
  auto now = env.clock->now();
  auto& spec = machine->spec();
  auto is_there = [](const caf::actor& x) {
    return static_cast<bool>(x);
  };
  out["kind"] = "supervisor";
  out["strategy"] = to_string(spec.strategy);
  out["restarts_used"] = uint64_t{machine->recent_restarts(now)};
  out["restarts_allowed"] = spec.intensity.restarts;
  out["period_ns"] = int64_t{spec.intensity.period.count()};
  out["children"] = uint64_t{machine->size()};
  out["running"] = int64_t{std::ranges::count_if(running, is_there)};
}

void supervisor_state::carry_out(supervisor_machine::action x) {
  using kind = supervisor_machine::action::kind;
  switch (x.what) {
  case kind::start:
    start_now(x.child);
    break;
  case kind::stop:
    self->send_exit(running[x.child], caf::exit_reason::user_shutdown);
    break;
  case kind::kill:
    self->send_exit(running[x.child], caf::exit_reason::kill);
    break;
  case kind::end:
    end();
    break;
  }
}

void supervisor_state::start_now(size_t child) {
  auto now = env.clock->now();
  auto begun = machine->view(child, now);
  caf::actor actor;
  try {
    actor = starts[child]();
  } catch (const std::exception& x) {
    machine->start_failed(child, x.what(), jitter(), now, todo);
    return;
  }
  if (!actor) {
    machine->start_deferred(child, now, todo);
    return;
  }
  self->monitor(actor);
  index_of[actor.id()] = child;
  running[child] = std::move(actor);
  if (begun.restarts > 0)
    env.reports->info(name, "child-restarted",
                      {{"supervisor", machine->spec().id},
                       {"child", begun.spec->id},
                       {"restarts", std::to_string(begun.restarts)}});
  machine->started(child, now, todo);
}

void supervisor_state::end() {
  auto& cause = machine->cause();
  if (cause.empty()) {
    self->quit(caf::exit_reason::user_shutdown);
    return;
  }
  if (env.seat)
    env.seat->record().journal.add(actor_journal::kind::gave_up, unix_now_ns(),
                                   cause);
  env.reports->error(name, "supervisor-gave-up",
                     {{"supervisor", machine->spec().id}, {"cause", cause}});
  // To begin the children anew would bring the same state back.
  self->quit(machine->is_hopeless()
                 ? caf::error{1, hopeless_end, caf::make_message(cause)}
                 : caf::make_error(caf::sec::runtime_error, cause));
}

void supervisor_state::on_down(const caf::down_msg& x) {
  auto i = index_of.find(x.source.id());
  if (i == index_of.end())
    return;
  auto child = i->second;
  index_of.erase(i);
  running[child] = nullptr;
  auto was_orderly = is_orderly(x.reason);
  auto is_hopeless = x.reason.category() == hopeless_end;
  auto cause = cause_of(self->system(), x.reason);
  auto now = env.clock->now();
  auto id = machine->view(child, now).spec->id;
  if (!was_orderly) {
    env.counts->events.add("supervisor/child-failed");
    env.reports->warn(
        name, "child-failed",
        {{"supervisor", machine->spec().id}, {"child", id}, {"cause", cause}});
  }
  auto how = was_orderly   ? child_end::orderly
             : is_hopeless ? child_end::hopeless
                           : child_end::failed;
  machine->ended(child, how, std::move(cause), jitter(), now, todo);
  carry_out();
}

void supervisor_state::on_exit(const caf::exit_msg&) {
  machine->stop(env.clock->now(), todo);
  carry_out();
}

void supervisor_state::on_start_child(const start_child& x) {
  // The start function is there before the machine asks for it.
  auto index = machine->index_for(x.what.spec.id);
  if (index == starts.size()) {
    starts.emplace_back();
    running.emplace_back();
  }
  if (running[index])
    return;
  starts[index] = x.what.start;
  machine->add(x.what.spec, env.clock->now(), todo);
  carry_out();
}

void supervisor_state::on_tick(const tick& x) {
  machine->tick(x.now, todo);
  if (!todo.empty() || x.now >= next_board)
    carry_out();
}

supervisor_actor::behavior_type supervisor(supervisor_state::actor_type* self,
                                           supervisor_deps deps) {
  install_handlers(self, deps.env);
  auto& state = self->state;
  state.self = self;
  self->set_down_handler([&state](caf::down_msg& x) { state.on_down(x); });
  self->set_exit_handler([&state](caf::exit_msg& x) { state.on_exit(x); });
  self->belong_to(deps.env);
  state.start(std::move(deps));
  self->sit();
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [](const inspect_node&) {
        // Its children are asked directly.
      },
      [&state](const start_child& x) { state.on_start_child(x); },
  };
}

} // namespace fantail
