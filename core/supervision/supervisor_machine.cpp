// SPDX-License-Identifier: MIT
#include "core/supervision/supervisor_machine.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

/// How soon a start that was not possible yet is tried again.
constexpr auto deferred_pause = 1ms;

bool is_alive(supervisor_machine::child_phase x) {
  using phase = supervisor_machine::child_phase;
  return x != phase::absent && x != phase::waiting;
}

std::string text_of(const supervisor_spec& spec, const std::string& what,
                    const std::string& cause) {
  return "supervisor " + spec.id + ": " + what + ": " + cause;
}

} // namespace

supervisor_machine::supervisor_machine(supervisor_spec spec)
    : spec_(std::move(spec)), budget_(spec_.intensity) {
  for (auto& x : spec_.children)
    children_.emplace_back(x, spec_.pause);
  spec_.children.clear();
}

void supervisor_machine::begin(time_point now, actions& out) {
  is_begun_ = true;
  for (auto& x : children_)
    x.phase = child_phase::waiting;
  advance(now, out);
}

void supervisor_machine::stop(time_point now, actions& out) {
  is_stopping_ = true;
  advance(now, out);
}

void supervisor_machine::started(size_t index, time_point now, actions& out) {
  auto& x = children_[index];
  x.phase = std::exchange(x.is_unwanted, false) ? child_phase::doomed
                                                : child_phase::running;
  x.started_at = now;
  begun_ = std::max(begun_, index + 1);
  advance(now, out);
}

void supervisor_machine::start_failed(size_t index, std::string cause,
                                      double jitter, time_point now,
                                      actions& out) {
  auto& x = children_[index];
  x.last_cause = std::move(cause);
  x.last_end = now;
  x.started_at = now;
  if (x.is_unwanted || is_stopping_) {
    went_down(x);
  } else if (index >= begun_) {
    x.phase = child_phase::absent;
    give_up("child " + x.spec.id + " could not be started: " + x.last_cause);
  } else if (x.spec.restart == restart_kind::temporary) {
    x.phase = child_phase::absent;
  } else {
    restart(index, jitter, now);
  }
  advance(now, out);
}

void supervisor_machine::start_deferred(size_t index, time_point now,
                                        actions& out) {
  auto& x = children_[index];
  went_down(x);
  x.due = now + deferred_pause;
  advance(now, out);
}

void supervisor_machine::ended(size_t index, child_end how, std::string cause,
                               double jitter, time_point now, actions& out) {
  auto& x = children_[index];
  if (!is_alive(x.phase))
    return;
  x.last_cause = std::move(cause);
  x.last_end = now;
  auto kind = x.spec.restart;
  if (x.phase != child_phase::running || is_stopping_)
    went_down(x);
  else if (how == child_end::hopeless) {
    x.phase = child_phase::absent;
    is_hopeless_ = true;
    give_up("child " + x.spec.id + " cannot go on: " + x.last_cause);
  } else if (kind == restart_kind::permanent
             || (kind == restart_kind::transient && how == child_end::failed))
    restart(index, jitter, now);
  else
    x.phase = child_phase::absent;
  advance(now, out);
}

void supervisor_machine::tick(time_point now, actions& out) {
  advance(now, out);
}

std::optional<size_t> supervisor_machine::add(child_spec spec, time_point now,
                                              actions& out) {
  if (is_stopping_)
    return std::nullopt;
  auto index = index_for(spec.id);
  if (index == children_.size())
    children_.emplace_back(std::move(spec), spec_.pause);
  else if (auto& known = children_[index]; known.phase == child_phase::absent)
    known = child{std::move(spec), spec_.pause};
  else
    return std::nullopt;
  if (is_begun_) {
    children_[index].phase = child_phase::waiting;
    if (begun_ == index)
      begun_ = index + 1;
    advance(now, out);
  }
  return index;
}

size_t supervisor_machine::index_for(std::string_view id) const noexcept {
  auto i = std::find_if(children_.begin(), children_.end(),
                        [id](auto& x) { return x.spec.id == id; });
  return static_cast<size_t>(i - children_.begin());
}

supervisor_machine::child_view supervisor_machine::view(size_t index,
                                                        time_point now) {
  auto& x = children_[index];
  auto left = x.phase == child_phase::waiting && x.due > now ? x.due - now
                                                             : duration::zero();
  return {&x.spec,      x.phase,    x.restarts, x.budget.used(now),
          x.last_cause, x.last_end, left};
}

bool supervisor_machine::is_steady() const noexcept {
  return is_begun_ && !is_stopping_
         && std::all_of(children_.begin(), children_.end(), [](auto& x) {
              return x.phase == child_phase::running
                     || x.phase == child_phase::absent;
            });
}

/// A child that has to come back: counts that, and takes along whom the
/// strategy says.
void supervisor_machine::restart(size_t index, double jitter, time_point now) {
  auto& x = children_[index];
  auto is_within = budget_.spend(now);
  auto is_child_within = x.budget.spend(now);
  x.phase = child_phase::waiting;
  if (!is_within || !is_child_within) {
    x.phase = child_phase::absent;
    auto& limit = is_within ? x.budget.limit() : budget_.limit();
    auto ms
        = std::chrono::duration_cast<std::chrono::milliseconds>(limit.period);
    give_up("more than " + std::to_string(limit.restarts) + " restarts in "
            + std::to_string(ms.count()) + " ms, the last of child " + x.spec.id
            + ": " + x.last_cause);
    return;
  }
  ++x.restarts;
  x.due = now + pause_before(x, jitter, now);
  take_along(index);
}

void supervisor_machine::take_along(size_t failed) {
  if (spec_.strategy == supervision_strategy::one_for_one)
    return;
  auto due = children_[failed].due;
  auto is_all = spec_.strategy == supervision_strategy::one_for_all;
  // Who was never started waits for its turn anyway.
  for (size_t i = is_all ? 0 : failed + 1; i < begun_; ++i) {
    auto& x = children_[i];
    if (i == failed)
      continue;
    x.due = std::max(x.due, due);
    if (x.phase == child_phase::running)
      x.phase = child_phase::doomed;
    else if (x.phase == child_phase::starting)
      x.is_unwanted = true;
    else if (x.phase == child_phase::absent
             && x.spec.restart == restart_kind::transient)
      x.phase = child_phase::waiting;
  }
}

void supervisor_machine::give_up(const std::string& cause) {
  is_stopping_ = true;
  cause_ = text_of(spec_, "gave up", cause);
}

/// A child is gone that was to go.
void supervisor_machine::went_down(child& x) {
  auto comes_back = !is_stopping_ && x.spec.restart != restart_kind::temporary;
  x.is_unwanted = false;
  x.phase = comes_back ? child_phase::waiting : child_phase::absent;
}

duration supervisor_machine::pause_before(child& x, double jitter,
                                          time_point now) {
  if (now - x.started_at >= spec_.healthy)
    x.has_failed_lately = false;
  if (!std::exchange(x.has_failed_lately, true)) {
    x.pauses.reset();
    return duration::zero();
  }
  return x.pauses.next(jitter);
}

void supervisor_machine::advance(time_point now, actions& out) {
  if (is_ended_ || advance_stops(now, out))
    return;
  if (!is_stopping_) {
    advance_starts(now, out);
    return;
  }
  is_ended_ = true;
  out.push_back({action::kind::end, 0});
}

/// Stops the last of those who have to go, once nobody is being stopped any
/// more. Returns true while there is one.
bool supervisor_machine::advance_stops(time_point now, actions& out) {
  auto is_told = [](const child& x) {
    return x.phase == child_phase::stopping || x.phase == child_phase::killing;
  };
  auto has_to_go = [this](const child& x) {
    return is_alive(x.phase)
           && (is_stopping_ || x.is_unwanted
               || (x.phase != child_phase::running
                   && x.phase != child_phase::starting));
  };
  auto last = std::find_if(children_.rbegin(), children_.rend(), is_told);
  if (last == children_.rend())
    last = std::find_if(children_.rbegin(), children_.rend(), has_to_go);
  if (last == children_.rend())
    return false;
  auto index = static_cast<size_t>(children_.rend() - last) - 1;
  auto& x = *last;
  // Whether it is there at all is known once its start was answered.
  if (x.phase == child_phase::starting)
    return true;
  if (x.phase == child_phase::running || x.phase == child_phase::doomed) {
    x.deadline = now + x.spec.grace;
    if (x.spec.grace > duration::zero()) {
      x.phase = child_phase::stopping;
      out.push_back({action::kind::stop, index});
    }
  }
  if (x.phase != child_phase::killing && now >= x.deadline) {
    x.phase = child_phase::killing;
    out.push_back({action::kind::kill, index});
  }
  return true;
}

void supervisor_machine::advance_starts(time_point now, actions& out) {
  auto is_alone = spec_.strategy == supervision_strategy::one_for_one;
  // One start at a time.
  if (std::any_of(children_.begin(), children_.end(),
                  [](auto& x) { return x.phase == child_phase::starting; }))
    return;
  for (size_t i = 0; i < children_.size(); ++i) {
    auto& x = children_[i];
    if (x.phase != child_phase::waiting)
      continue;
    if (now >= x.due) {
      x.phase = child_phase::starting;
      out.push_back({action::kind::start, i});
      return;
    }
    // With a common fate, nobody is started before its predecessor; and at the
    // very first, nobody anyhow.
    if (!is_alone || i >= begun_)
      return;
  }
}

} // namespace fantail
