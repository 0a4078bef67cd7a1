// SPDX-License-Identifier: MIT
#include "actors/outbox.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

using namespace std::chrono_literals;

namespace {

/// A reader that never answers must not block its shard for ever.
constexpr auto request_timeout = 10s;

} // namespace

void outbox_state::start(outbox_deps x) {
  deps = std::move(x);
  now = deps.env.clock->now();
}

void outbox_state::on_admitted(const instance_admitted& x) {
  profile = x.profile;
}

void outbox_state::refuse(const std::string& reply_to, control_reject reason,
                          position first) {
  deps.env.control->answer(reply_to, encode(range_rejected{reason, first}));
}

void outbox_state::on_serve(const serve_range& x) {
  if (x.what.incarnation != profile.incarnation) {
    refuse(x.reply_to, control_reject::unknown_instance);
    return;
  }
  auto is_busy = std::any_of(requests.begin(), requests.end(), [&x](auto& y) {
    return y.second.what.shard == x.what.shard;
  });
  if (is_busy) {
    refuse(x.reply_to, control_reject::busy);
    return;
  }
  auto number = ++last_request;
  auto what = x.what;
  what.to = std::min(what.to,
                     position{what.from.value + limits::range_positions_max});
  requests[number] = {what, x.reply_to, nullptr, now};
  auto me = handle_of(*this);
  deps.ranges->read(what.shard, what.from, what.to,
                    limits::range_reply_bytes_max,
                    [me, number](range_reader_port::result result) {
                      caf::anon_send(me, range_read{number, std::move(result)});
                    });
}

void outbox_state::on_read(const range_read& x) {
  auto i = requests.find(x.request);
  if (i == requests.end())
    return;
  auto& request = i->second;
  if (!x.what.events) {
    if (x.what.first.value > 0)
      refuse(request.reply_to, control_reject::lost, x.what.first);
    else
      refuse(request.reply_to, control_reject::busy);
    requests.erase(i);
    return;
  }
  request.events = x.what.events;
  self->send(
      deps.shards[request.what.shard.value],
      select_range{x.request, deps.instance, request.events, handle_of(*this)});
}

void outbox_state::on_selected(const range_selected& x) {
  auto i = requests.find(x.request);
  if (i == requests.end())
    return;
  auto& request = i->second;
  auto& events = *request.events;
  scratch.clear();
  // What is not routed yet reaches the instance live, with the membership of
  // then; an answer that spoke for it would hide that.
  auto from = request.what.from;
  auto to = std::max(from, std::min(events.to, x.routed_to));
  scratch.begin_section({request.what.shard, frame::replay, x.owner, from, to});
  for (auto index : x.events) {
    auto event = events[index];
    if (event.pos > to)
      break;
    auto size = scratch.byte_count() + frame::encoded_size(event);
    if (size > limits::range_reply_bytes_max
        && scratch.byte_count()
               > frame::frame_header_bytes + frame::section_header_bytes) {
      scratch.extend_section(position{event.pos.value - 1});
      break;
    }
    scratch.add(event);
  }
  deps.env.control->answer(request.reply_to, scratch.finish());
  deps.env.counts->events.add("outbox/range-served");
  requests.erase(i);
}

void outbox_state::on_tick(const tick& x) {
  now = x.now;
  sample_wait(deps.env, name, x);
  std::erase_if(requests, [this](auto& entry) {
    return now - entry.second.asked_at > request_timeout;
  });
}

/// The egress knows the rest.
void outbox_state::describe(json::object& out) const {
  out["kind"] = "outbox";
  out["instance"] = deps.env.instances->name_of(deps.instance);
  out["index"] = deps.instance.value;
  out["incarnation"] = profile.incarnation;
  out["ranges_under_way"] = uint64_t{requests.size()};
}

outbox_actor::behavior_type
outbox_server(component<outbox_actor, outbox_state>* self, outbox_deps deps) {
  auto& state = enter(self, std::move(deps));
  return {
      [&state](const tick& x) { state.on_tick(x); },
      [](const inspect_node&) {
        // The egress shows the instance.
      },
      [&state](const instance_admitted& x) { state.on_admitted(x); },
      [&state](const serve_range& x) { state.on_serve(x); },
      [&state](const range_read& x) { state.on_read(x); },
      [&state](const range_selected& x) { state.on_selected(x); },
  };
}

} // namespace fantail
