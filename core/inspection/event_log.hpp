// SPDX-License-Identifier: MIT
#pragma once

#include "core/report.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail {

/// Something that happened in a node, for whoever watches it.
struct node_event {
  /// Rises by one per event.
  uint64_t id = 0;
  int64_t at_unix_ns = 0;
  /// Such as `child-restarted`; `report` for what has no kind of its own.
  std::string kind;
  report_port::severity severity = report_port::severity::info;
  /// Path of the actor it concerns; may be empty.
  std::string actor;
  /// One line for people.
  std::string detail;
  std::vector<std::pair<std::string, std::string>> fields;
};

/// The last 1024 events of a node. Reports become events here, so an event
/// stream needs no second set of calls. Thread safe.
class event_log {
public:
  static constexpr size_t events_max = 1024;

  /// Reports of severity debug are left out.
  void add(report_port::severity level, std::string_view component,
           std::string_view event, report_port::fields details,
           int64_t at_unix_ns);

  /// Events with an id beyond `id`, oldest first, `max` at most. Those that
  /// are forgotten leave a gap in the ids.
  std::vector<node_event> since(uint64_t id, size_t max) const;

  /// The newest id; 0 if nothing happened yet.
  uint64_t newest() const;

private:
  mutable std::mutex mutex_;
  uint64_t newest_ = 0;
  std::deque<node_event> events_;
};

/// The kinds a viewer can ask for.
bool is_event_kind(std::string_view text);

} // namespace fantail
