// SPDX-License-Identifier: MIT
#include "core/inspection/event_log.hpp"

#include <algorithm>
#include <array>

namespace fantail {

namespace {

/// Reports that are events of their own kind, under the name of the report...
constexpr std::array own_kinds{
    "child-failed",  "child-restarted", "supervisor-gave-up",
    "actor-failed",  "actor-killed",    "actor-suspended",
    "actor-resumed", "actor-stuck",     "actor-unstuck",
};

/// ...and those of links, which have a name per link.
constexpr std::array link_up{"nats-connected", "link-open", "nats-server-up"};
constexpr std::array link_down{"nats-disconnected", "link-lost",
                               "nats-server-down"};

template <class Names>
bool contains(const Names& names, std::string_view x) {
  return std::ranges::find(names, x) != names.end();
}

std::string kind_of(std::string_view event) {
  if (contains(own_kinds, event))
    return std::string{event};
  if (contains(link_up, event))
    return "link-up";
  if (contains(link_down, event))
    return "link-down";
  return "report";
}

std::string field(const node_event& x, std::string_view name) {
  for (auto& [key, value] : x.fields)
    if (key == name)
      return value;
  return {};
}

/// A supervisor names its children without their path.
std::string actor_of(const node_event& x) {
  if (auto actor = field(x, "actor"); !actor.empty())
    return actor;
  auto supervisor = field(x, "supervisor");
  auto child = field(x, "child");
  if (child.empty() || supervisor == "node")
    return child.empty() ? supervisor : child;
  return supervisor + "/" + child;
}

std::string line_of(std::string_view component, std::string_view event,
                    const node_event& x) {
  auto result = std::string{component} + " " + std::string{event};
  for (auto& [key, value] : x.fields)
    result.append(" ").append(key).append("=").append(value);
  return result;
}

} // namespace

void event_log::add(report_port::severity level, std::string_view component,
                    std::string_view event, report_port::fields details,
                    int64_t at_unix_ns) {
  if (level == report_port::severity::debug)
    return;
  node_event x;
  x.at_unix_ns = at_unix_ns;
  x.kind = kind_of(event);
  x.severity = level;
  for (auto& [key, value] : details)
    x.fields.emplace_back(key, value);
  x.actor = actor_of(x);
  x.detail = line_of(component, event, x);
  x.fields.emplace_back("component", component);
  x.fields.emplace_back("event", event);
  std::lock_guard guard{mutex_};
  x.id = ++newest_;
  if (events_.size() == events_max)
    events_.pop_front();
  events_.push_back(std::move(x));
}

std::vector<node_event> event_log::since(uint64_t id, size_t max) const {
  std::lock_guard guard{mutex_};
  std::vector<node_event> result;
  if (id >= newest_)
    return result;
  auto first = newest_ - events_.size();
  auto skipped = id > first ? id - first : 0;
  for (auto i = static_cast<size_t>(skipped);
       i < events_.size() && result.size() < max; ++i)
    result.push_back(events_[i]);
  return result;
}

uint64_t event_log::newest() const {
  std::lock_guard guard{mutex_};
  return newest_;
}

bool is_event_kind(std::string_view text) {
  return contains(own_kinds, text) || text == "link-up" || text == "link-down"
         || text == "report";
}

} // namespace fantail
