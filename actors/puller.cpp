// SPDX-License-Identifier: MIT
#include "actors/puller.hpp"

#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

/// An answer to `open` takes milliseconds; the API gives up after 5 s.
constexpr auto open_timeout = 6s;
constexpr auto retry_pause = 200ms;

/// nats-server 2.9.10 removes the files of a deleted stream in the background,
/// and those of a stream of that name that was made meanwhile with them: what
/// was stored within 20 ms was acknowledged and gone in every second try.
constexpr auto restore_pause = 1s;

} // namespace

void puller_state::start(puller_deps x) {
  deps = std::move(x);
  window = pull_window{deps.window};
  now = deps.env.clock->now();
  auto me = handle_of(*this);
  // The reader is closed before the actors end, so the handle it keeps does
  // not keep the actor alive for ever.
  deps.reader->attach({
      [me](uint64_t attempt, log_state state) {
        caf::anon_send(me, log_opened{attempt, std::move(state)});
      },
      [me](uint64_t attempt, log_failure failure) {
        caf::anon_send(me, log_failed{attempt, std::move(failure)});
      },
      [me](uint64_t attempt, pull_ptr events) {
        caf::anon_send(me, log_pulled{attempt, std::move(events)});
      },
      [me](uint64_t attempt, request_end what) {
        caf::anon_send(me, log_request_ended{attempt, what});
      },
      [me] { caf::anon_send(me, link_changed{true}); },
      [me] { caf::anon_send(me, link_changed{false}); },
  });
}

/// Reads on behind what the sink was given.
void puller_state::recover() {
  if (now_in != phase::idle)
    open();
}

void puller_state::on_start(const start_pulling& x) {
  received_to = x.from;
  created_at = x.created_at;
  open();
}

void puller_state::open() {
  now_in = phase::opening;
  deadline = now + open_timeout;
  deps.reader->open(++attempt, received_to);
}

void puller_state::wait_before_open(duration pause) {
  now_in = phase::waiting;
  deadline = now + pause;
  ++attempt;
  tell_stalled();
}

bool puller_state::is_another_life(const log_state& state) const {
  if (created_at.empty())
    return false;
  return state.created_at != created_at || state.last < received_to;
}

void puller_state::on_opened(const log_opened& x) {
  if (x.attempt != attempt)
    return;
  if (is_another_life(x.state)) {
    deps.env.reports->error(
        name, "stream-restarted",
        {{"stream", deps.stream},
         {"known_to", std::to_string(received_to.value)},
         {"now_ends_at", std::to_string(x.state.last.value)}});
    self->send(deps.sink, log_restarted{x.state});
    created_at = x.state.created_at;
    received_to = position{0};
    open();
    return;
  }
  // Who never read this life of the log has lost nothing at its head.
  auto is_known = !std::exchange(created_at, x.state.created_at).empty();
  if (x.state.first.value > received_to.value + 1) {
    auto last_lost = position{x.state.first.value - 1};
    if (is_known)
      report_loss(last_lost);
    received_to = last_lost;
  }
  now_in = phase::reading;
  found_end = x.state.last;
  missing_since.reset();
  window.reopened(now);
  told_stalled = false;
  self->send(deps.sink, log_found{x.state});
  pump();
}

void puller_state::report_loss(position last_lost) {
  deps.env.reports->error(name, "positions-lost",
                          {{"stream", deps.stream},
                           {"behind", std::to_string(received_to.value)},
                           {"up_to", std::to_string(last_lost.value)}});
  self->send(deps.sink, positions_lost{received_to, last_lost});
}

void puller_state::on_failed(const log_failed& x) {
  if (x.attempt != attempt)
    return;
  deps.env.reports->warn(name, "log-not-readable",
                         {{"stream", deps.stream}, {"reason", x.failure.text}});
  auto pause = retry_pause;
  if (x.failure.is_missing && !missing_since) {
    missing_since = now;
    pause = restore_pause;
  } else if (x.failure.is_missing && now - *missing_since >= restore_pause) {
    deps.reader->restore_stream();
  }
  wait_before_open(pause);
}

void puller_state::on_pulled(const log_pulled& x) {
  if (x.attempt != attempt)
    return;
  auto& events = *x.events;
  self->send(deps.sink, pulled{x.events});
  window.received(events.size() + events.rejected, events.byte_count(), now);
  received_to = events.to;
  pump();
}

void puller_state::on_request_ended(const log_request_ended& x) {
  if (x.attempt != attempt)
    return;
  switch (x.what) {
  case request_end::heartbeat:
    // A server that cannot read what it says it has keeps a consumer waiting
    // and sends heartbeats all the same: that is no sign of life.
    if (received_to >= found_end)
      window.heartbeat(now);
    break;
  case request_end::expired:
    window.request_ended(now);
    pump();
    break;
  case request_end::refused:
    // Asking again at once would only be refused again.
    window.request_ended(now);
    break;
  case request_end::broken:
    deps.env.reports->warn(name, "consumer-lost", {{"stream", deps.stream}});
    open();
    break;
  }
}

void puller_state::on_link(const link_changed& x) {
  if (now_in == phase::idle)
    return;
  if (x.is_up)
    open();
  else
    wait_before_open(open_timeout);
}

void puller_state::on_settled(const pull_settled& x) {
  window.settled(x.bytes);
  pump();
}

void puller_state::on_tick(const tick& x) {
  now = x.now;
  sample_wait(deps.env, name, x);
  if (now_in == phase::reading && window.is_stuck(now)) {
    deps.env.reports->warn(name, "consumer-silent", {{"stream", deps.stream}});
    open();
  } else if ((now_in == phase::opening || now_in == phase::waiting)
             && now >= deadline) {
    open();
  } else {
    pump();
  }
}

void puller_state::pump() {
  if (now_in != phase::reading)
    return;
  while (auto events = window.next_request(now)) {
    told_stalled = false;
    deps.reader->request(attempt, *events);
  }
  if (window.events_outstanding() == 0)
    tell_stalled();
}

void puller_state::tell_stalled() {
  if (!std::exchange(told_stalled, true))
    self->send(deps.sink, log_stalled{});
}

void puller_state::describe(json::object& out) const {
  constexpr std::string_view phases[]{"idle", "opening", "reading", "waiting"};
  out["kind"] = "puller";
  out["stream"] = deps.stream;
  out["phase"] = phases[static_cast<size_t>(now_in)];
  out["sequence"] = received_to.value;
  out["unsettled_bytes"] = uint64_t{window.unsettled_bytes()};
  out["unsettled_bytes_max"] = uint64_t{deps.window.unsettled_bytes_max};
  out["requests"] = uint64_t{window.requests_outstanding()};
}

puller_actor::behavior_type puller(component<puller_actor, puller_state>* self,
                                   puller_deps deps) {
  auto& state = enter(self, std::move(deps));
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [](const inspect_node&) {
        // What a puller knows is in the telemetry of its sink.
      },
      [&state](const start_pulling& x) { state.on_start(x); },
      [&state](const pull_settled& x) { state.on_settled(x); },
      [&state](const log_opened& x) { state.on_opened(x); },
      [&state](const log_failed& x) { state.on_failed(x); },
      [&state](const log_pulled& x) { state.on_pulled(x); },
      [&state](const log_request_ended& x) { state.on_request_ended(x); },
      [&state](const link_changed& x) { state.on_link(x); },
  };
}

} // namespace fantail
