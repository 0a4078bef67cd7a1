// SPDX-License-Identifier: MIT
#include "chaos/checker/checker.hpp"

namespace fantail::chaos {

// -- presence
// --------------------------------------------------------------------

void checker::apply(const place_changes& x) {
  members_.apply(x, now_);
  for (auto& where : x.must_end) {
    if (members_.at(where).must > 0)
      continue;
    // An event under way may be stored after the user has left.
    auto found = unsettled_.find(where.channel);
    if (found == unsettled_.end())
      continue;
    for (auto number : found->second)
      forgive(*find(number), where.instance);
  }
}

void checker::on(const presence_called& x) {
  ++found_.presence_calls;
  if (x.what != presence_call_kind::online || is_known(x.instance))
    apply(users_.take(x));
}

void checker::on(const presence_answered& x) {
  apply(users_.take(x, now_));
}

void checker::on(const user_seen& x) {
  ++found_.users_asked;
  if (!users_.agrees(x))
    complain(violation::presence_wrong,
             "user " + std::to_string(x.user) + " is said to have "
                 + std::to_string(x.sessions.size())
                 + " sessions, which is not where it was");
}

void checker::on(const sessions_lapsed& x) {
  complain(violation::presence_wrong, "the sessions of instance "
                                          + std::to_string(x.instance)
                                          + " ended, though it was there");
}

// -- the world
// -------------------------------------------------------------------

void checker::on(const link_changed& x) {
  if (!is_known(x.instance))
    return;
  auto& state = instances_[x.instance];
  if (!x.is_up && is_single(x.instance))
    for (auto& event : events_)
      if (may_be_under_way(event, x.instance))
        forgive(event, x.instance);
  if (x.is_up && !state.is_up)
    state.up_at = now_;
  state.is_up = x.is_up;
}

void checker::on(const node_changed& x) {
  // What is stored while there is no node waits for the next one, however long
  // that takes to be ready.
  auto waits = [this](const event_state& event) {
    return node_down_at_ && event.stored_at
           && *event.stored_at + config_.repeat_window >= *node_down_at_;
  };
  // A node remembers the departures of its own life only.
  for (auto& event : events_) {
    auto awaited = event.awaited;
    for (auto instance : awaited)
      if (members_.at({event.channel, instance}).must == 0
          && (waits(event) || may_be_under_way(event, instance)))
        forgive(event, instance);
  }
  if (x.is_up)
    node_down_at_.reset();
  else if (!node_down_at_)
    node_down_at_ = now_;
}

void checker::on(const fault_marked& x) {
  faults_.take(x, now_);
}

void checker::on(const escalation_seen& x) {
  found_.escalations.push_back(x.what);
  if (!x.is_expected)
    complain(violation::unexpected_escalation, x.what);
}

void checker::on(const loss_reported& x) {
  complain(violation::loss_reported,
           "instance " + std::to_string(x.instance) + ", shard "
               + std::to_string(x.shard.value) + ", positions "
               + std::to_string(x.from.value) + " to "
               + std::to_string(x.to.value));
}

void checker::on(const garbage_received& x) {
  complain(violation::garbage,
           "instance " + std::to_string(x.instance) + ": " + x.what);
}

void checker::on(const counter_read& x) {
  using enum counter_read::kind;
  if (!x.is_exact)
    return;
  ++found_.counters_compared;
  user_states::bounds bounds;
  std::string name;
  if (x.what == events) {
    uint64_t unknown = 0;
    for (auto& [channel, numbers] : unsettled_)
      unknown += numbers.size();
    bounds = {found_.stored, found_.stored + unknown};
    name = "events";
  } else {
    bounds = x.what == users ? users_.users_online() : users_.sessions();
    name = x.what == users ? "users online" : "sessions";
  }
  if (x.value >= bounds.first && x.value <= bounds.second)
    return;
  auto kind
      = x.what == events ? violation::counter_wrong : violation::presence_wrong;
  complain(kind, "the node counts " + std::to_string(x.value) + " " + name
                     + ", it should be " + std::to_string(bounds.first)
                     + (bounds.first == bounds.second
                            ? ""
                            : " to " + std::to_string(bounds.second)));
}

void checker::on(const usage_seen& x) {
  usage_.take(x);
}

void checker::on(const run_ended&) {
  found_.is_whole = true;
}

} // namespace fantail::chaos
