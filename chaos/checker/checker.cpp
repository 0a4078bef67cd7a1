// SPDX-License-Identifier: MIT
#include "chaos/checker/checker.hpp"

#include <algorithm>

namespace fantail::chaos {

namespace {

constexpr size_t examples_max = 20;

std::string of_event(event_number event, const place& where) {
  return "event " + std::to_string(event) + " of channel "
         + std::to_string(where.channel) + " at instance "
         + std::to_string(where.instance);
}

bool erase_one(std::vector<instance_number>& from, instance_number x) {
  return std::erase(from, x) > 0;
}

} // namespace

checker::checker(checker_config config)
    : config_(std::move(config)), instances_(config_.formats.size()) {
  // nop
}

void checker::take(const timed_record& x) {
  now_ = x.at;
  std::visit([this](auto& what) { on(what); }, x.what);
  retire();
}

void checker::complain(violation what, std::string text) {
  ++found_.violations[static_cast<size_t>(what)];
  if (found_.examples.size() < examples_max)
    found_.examples.push_back({what, now_, std::move(text)});
}

checker::event_state* checker::find(event_number number) {
  if (number < first_ || number - first_ >= events_.size())
    return nullptr;
  auto& result = events_[number - first_];
  return result.is_known ? &result : nullptr;
}

bool checker::is_known(instance_number instance) {
  if (instance < instances_.size())
    return true;
  complain(violation::garbage,
           "instance " + std::to_string(instance) + " does not exist");
  return false;
}

// -- events
// ----------------------------------------------------------------------

void checker::on(const publish_called& x) {
  // Numbers rise, but two producers may get theirs in another order.
  if (x.event >= first_ + events_.size())
    events_.resize(x.event - first_ + 1);
  auto& event = events_[x.event - first_];
  event.is_known = true;
  event.channel = x.channel;
  event.called = event.touched = now_;
  ++found_.published;
  for (auto& [instance, link] : members_.of(x.channel)) {
    auto& state = instances_[instance];
    auto may_miss = is_single(instance)
                    && (!state.is_up || now_ < state.up_at + config_.grace);
    if (link.must > 0 && !may_miss)
      event.awaited.push_back(instance);
    else if (link.may > 0)
      ++found_.undecided;
  }
  unsettled_[x.channel].push_back(x.event);
}

void checker::on(const publish_stored& x) {
  auto* event = find(x.event);
  if (!event || event->is_settled())
    return;
  std::erase(unsettled_[event->channel], x.event);
  event->stored_at = event->touched = now_;
  event->pos = x.pos;
  ++found_.stored;
  incomplete_ += !event->awaited.empty();
  for (auto& receipt : event->received)
    compare({event->channel, receipt.instance});
}

void checker::on(const publish_refused& x) {
  auto* event = find(x.event);
  if (!event || event->is_settled())
    return;
  std::erase(unsettled_[event->channel], x.event);
  event->is_refused = true;
  event->awaited.clear();
  for (auto& receipt : event->received)
    complain(violation::garbage,
             of_event(x.event, {event->channel, receipt.instance})
                 + " was refused to its producer");
}

void checker::on(const event_received& x) {
  if (!is_known(x.instance))
    return;
  auto& state = instances_[x.instance];
  auto& epoch = state.epochs[x.shard];
  if (x.epoch < epoch)
    complain(violation::stale_epoch,
             "event " + std::to_string(x.event) + " at instance "
                 + std::to_string(x.instance) + " came under epoch "
                 + std::to_string(x.epoch.value) + " of shard "
                 + std::to_string(x.shard.value) + ", behind epoch "
                 + std::to_string(epoch.value));
  epoch = std::max(epoch, x.epoch);
  auto* event = find(x.event);
  if (!event && x.event >= first_) {
    complain(violation::garbage, "event " + std::to_string(x.event)
                                     + " was received and never published");
    return;
  }
  if (!event) {
    take_repeat(nullptr, x, now_ - config_.memory);
    return;
  }
  auto& seen = event->received;
  auto before = std::ranges::find(seen, x.instance, &receipt::instance);
  if (before != seen.end())
    take_repeat(event, x, before->at);
  else
    take_first(x.event, *event, x);
}

void checker::take_repeat(const event_state* event, const event_received& x,
                          time_point first) {
  if (is_single(x.instance)
      && faults_.explains(x.instance, first, now_, config_.repeat_window)) {
    ++found_.repeats_permitted;
    return;
  }
  auto channel = event ? event->channel : channel_number{0};
  complain(violation::repeated, event ? of_event(x.event, {channel, x.instance})
                                      : "old event " + std::to_string(x.event)
                                            + " at instance "
                                            + std::to_string(x.instance));
}

void checker::take_first(event_number number, event_state& event,
                         const event_received& x) {
  ++found_.deliveries;
  event.received.push_back({x.instance, now_});
  event.touched = now_;
  auto& newest = instances_[x.instance].newest;
  newest = std::max(newest, event.called);
  auto was_complete = event.is_complete();
  auto is_due = erase_one(event.awaited, x.instance);
  if (is_due) {
    ++found_.decided;
    incomplete_ -= event.is_complete() && !was_complete;
    faults_.delivered(x.shard, x.instance, event.called, now_);
  } else {
    judge_unexpected(event, x);
  }
  place where{event.channel, x.instance};
  // What an instance of the format `single` only may get it may get as part
  // of a repetition, at any place.
  auto has_order = is_due || !is_single(x.instance);
  uncompared_[{where.channel, where.instance}].push_back(
      {number, has_order, now_});
  compare(where);
}

void checker::judge_unexpected(const event_state& event,
                               const event_received& x) {
  if (event.is_refused) {
    complain(violation::garbage, of_event(x.event, {event.channel, x.instance})
                                     + " was refused to its producer");
    return;
  }
  auto* link = members_.find({event.channel, x.instance});
  auto is_early = false;
  if (link) {
    auto stored_at = event.stored_at.value_or(now_);
    for (auto& span : link->spans) {
      if (span.closed.value_or(now_) + config_.grace < event.called)
        continue;
      if (span.opened <= stored_at)
        return;
      is_early = true;
    }
  }
  if (is_early) {
    ++found_.early;
    return;
  }
  ++found_.decided;
  complain(violation::excess, of_event(x.event, {event.channel, x.instance}));
}

void checker::compare(const place& where) {
  auto found = uncompared_.find({where.channel, where.instance});
  if (found == uncompared_.end())
    return;
  auto& waiting = found->second;
  auto& link = members_.at(where);
  while (!waiting.empty()) {
    auto [number, has_order, at] = waiting.front();
    auto* event = find(number);
    if (event && !event->is_settled())
      return;
    waiting.pop_front();
    if (!event || event->is_refused)
      continue;
    if (event->pos > link.last) {
      link.last = event->pos;
      link.last_at = at;
    } else if (has_order) {
      if (is_single(where.instance)
          && faults_.explains(where.instance, link.last_at, at,
                              config_.repeat_window))
        ++found_.disorder_permitted;
      else
        complain(violation::out_of_order,
                 of_event(number, where) + ", position "
                     + std::to_string(event->pos.value) + " behind position "
                     + std::to_string(link.last.value));
    }
  }
  uncompared_.erase(found);
}

void checker::forgive(event_state& event, instance_number instance) {
  auto was_complete = event.is_complete();
  if (!erase_one(event.awaited, instance))
    return;
  ++found_.undecided;
  incomplete_ -= event.is_complete() && !was_complete;
}

bool checker::may_be_under_way(const event_state& event,
                               instance_number instance) const {
  if (std::ranges::find(event.awaited, instance) == event.awaited.end())
    return false;
  return !event.stored_at
         || faults_.may_be_under_way(*event.stored_at, now_,
                                     config_.repeat_window);
}

void checker::lose(event_number number, event_state& event) {
  for (auto instance : event.awaited) {
    ++found_.decided;
    found_.lost_in_the_middle += instances_[instance].newest > event.called;
    complain(violation::lost, of_event(number, {event.channel, instance})
                                  + ", position "
                                  + std::to_string(event.pos.value));
  }
  event.awaited.clear();
  --incomplete_;
}

void checker::retire() {
  while (!events_.empty()) {
    auto& event = events_.front();
    if (!event.is_known || !event.is_settled())
      return;
    if (!event.is_complete()) {
      if (now_ - *event.stored_at < config_.patience)
        return;
      lose(first_, event);
    }
    if (now_ - event.touched < config_.memory)
      return;
    events_.pop_front();
    ++first_;
  }
}

void checker::finish() {
  for (size_t i = 0; i < events_.size(); ++i)
    if (events_[i].stored_at && !events_[i].is_complete())
      lose(first_ + i, events_[i]);
  faults_.finish();
  for (auto& what : usage_.growth())
    complain(violation::growth, what);
}

// -- result
// ----------------------------------------------------------------------

findings checker::result() const {
  auto result = found_;
  result.recoveries = faults_.kinds();
  result.actors = faults_.actors();
  auto calm = [this](double q) {
    auto ns = static_cast<int64_t>(faults_.calm().quantile(q));
    return duration{std::chrono::nanoseconds{ns}};
  };
  result.calm_p50 = calm(0.5);
  result.calm_p99 = calm(0.99);
  result.resident_bytes = usage_.resident_bytes();
  result.open_files = usage_.open_files();
  return result;
}

verdict checker::judge() const {
  for (auto count : found_.violations)
    if (count > 0)
      return verdict::failed;
  auto is_valid = result().invalid_because(config_.decided_min).empty();
  return is_valid ? verdict::passed : verdict::invalid;
}

} // namespace fantail::chaos
