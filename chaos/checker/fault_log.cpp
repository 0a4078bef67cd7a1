// SPDX-License-Identifier: MIT
#include "chaos/checker/fault_log.hpp"

#include <algorithm>
#include <cmath>
#include <ranges>
#include <string_view>
#include <utility>

namespace fantail::chaos {

duration recovery_summary::quantile(double q) const {
  if (recoveries.empty())
    return {};
  auto sorted = recoveries;
  std::ranges::sort(sorted);
  auto rank = std::ceil(q * static_cast<double>(sorted.size()));
  return sorted[std::max<size_t>(static_cast<size_t>(rank), 1) - 1];
}

namespace {

/// All actors of the kind that was hit, and what happened to it; empty if it
/// was no actor.
std::string actors_like(const fault_marked& x) {
  constexpr std::string_view prefix = "actor-";
  if (!x.kind.starts_with(prefix))
    return {};
  auto name = x.target.substr(0, x.target.find_last_not_of("0123456789") + 1);
  return name + (name.size() < x.target.size() ? "*, " : ", ")
         + x.kind.substr(prefix.size());
}

} // namespace

void fault_log::take(const fault_marked& x, time_point now) {
  auto& kind = kinds_[x.kind];
  if (x.phase == fault_phase::skipped) {
    ++kind.skipped;
    return;
  }
  if (x.phase == fault_phase::off) {
    auto found = std::ranges::find(faults_, x.fault, &fault::number);
    if (found == faults_.end() || found->off)
      return;
    found->off = now;
    begin(*found);
    return;
  }
  ++kind.faults;
  auto& fault = faults_.emplace_back();
  fault = {x.fault, x.kind, actors_like(x), x.instance, now, std::nullopt};
  if (!fault.target.empty())
    ++actors_[fault.target].faults;
  if (x.instance == no_instance) {
    auto flowing = std::ranges::partition(
        open_, [](auto& measured) { return measured.seen.empty(); });
    for (auto& measured : flowing)
      end(measured);
    open_.erase(flowing.begin(), flowing.end());
    return;
  }
  for (auto& measured : open_)
    measured.left_out.insert(x.instance);
}

void fault_log::begin(fault& x) {
  // Nothing flows yet since an earlier one, so this one cannot be told apart.
  if (std::ranges::any_of(open_, [](auto& other) {
        return other.instance == no_instance && other.seen.empty();
      }))
    return;
  x.is_outage = x.instance == no_instance;
  measurement result{x.number, x.kind, x.target, x.instance, *x.off};
  for (auto& other : faults_)
    if (!other.off && other.instance != no_instance)
      result.left_out.insert(other.instance);
  open_.push_back(std::move(result));
}

void fault_log::end(const measurement& x) {
  // Without any pair nothing was learned.
  if (x.seen.empty())
    return;
  kinds_[x.kind].recoveries.push_back(x.longest);
  if (!x.target.empty())
    actors_[x.target].recoveries.push_back(x.longest);
}

void fault_log::delivered(shard_id shard, instance_number instance,
                          time_point published, time_point now) {
  if (is_calm(published))
    calm_.record(to_ns(now) - to_ns(published));
  if (open_.empty())
    return;
  for (auto& x : open_) {
    if (published < x.off || x.left_out.contains(instance)
        || (x.instance != no_instance && x.instance != instance))
      continue;
    auto is_very_first = x.seen.empty();
    auto is_first = x.seen.emplace(shard, instance).second;
    auto age = published - x.off;
    if (is_very_first) {
      x.longest = std::max(x.longest, now - x.off);
      flows_since_ = now;
      auto over = std::ranges::find(faults_, x.number, &fault::number);
      if (std::exchange(over->is_outage, false))
        over->off = now;
    } else if (is_first || age <= aftermath)
      x.longest = std::max(x.longest, now - published);
  }
  auto overdue = std::ranges::partition(
      open_, [&](auto& x) { return now - x.off < patience; });
  for (auto& x : overdue)
    end(x);
  open_.erase(overdue.begin(), overdue.end());
}

bool fault_log::is_calm(time_point published) const {
  if (faults_.empty())
    return true;
  auto& last = faults_.back();
  return last.off && published > std::max(*last.off, flows_since_) + calm_after;
}

bool fault_log::awaits_first() const {
  return std::ranges::any_of(open_, [](auto& x) { return x.seen.empty(); })
         || std::ranges::any_of(faults_, [](auto& x) { return !x.off; });
}

void fault_log::finish() {
  for (auto& x : open_)
    end(x);
  open_.clear();
}

bool fault_log::explains(instance_number instance, time_point first,
                         time_point now, duration window) const {
  for (auto& x : faults_ | std::views::reverse) {
    // Later than what is to be explained, or felt by somebody else.
    if (x.on > now || (x.instance != no_instance && x.instance != instance))
      continue;
    if (first < x.on - window)
      continue;
    if (!x.end() || first <= *x.end() + window)
      return true;
  }
  return false;
}

bool fault_log::may_be_under_way(time_point stored, time_point now,
                                 duration window) const {
  auto until = stored + window;
  // They are in the order of their beginnings.
  for (auto& x : faults_) {
    if (x.on > until)
      break;
    if (!x.end())
      return true;
    if (*x.end() >= stored)
      until = std::max(until, *x.end() + window);
  }
  return now <= until;
}

} // namespace fantail::chaos
