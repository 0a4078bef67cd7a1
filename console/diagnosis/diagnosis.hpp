// SPDX-License-Identifier: MIT
#pragma once

#include "console/paint.hpp"
#include "core/json.hpp"

#include <string>
#include <vector>

namespace fantail::console {

/// What was asked of the node at one moment: answers of the API, null where
/// there was none, and the text of /metrics.
struct snapshot_of_node {
  json::value node;
  json::value shards;
  std::string metrics;
};

/// Everything a diagnosis is made from: two moments, and what stood between.
struct observation {
  snapshot_of_node before;
  snapshot_of_node after;
  double window_seconds = 0;
  /// GET /actors, all of them.
  json::value actors;
  /// GET /channels?top=cost and ?top=members
  json::value hottest;
  json::value largest;
  json::value instances;
  /// GET /debug/cache-stats
  json::value cache;
  int64_t now_unix_ns = 0;
};

enum class verdict { good, notice, alarm };

/// One answer to a question of an operator.
struct finding {
  /// One word: latency, lag, waits, channels, ...
  std::string topic;
  verdict is = verdict::good;
  std::string summary;
  /// Figures that show it.
  std::vector<std::string> evidence;
  /// What to do; empty if nothing.
  std::string advice;
  /// The command that shows more; empty if none does.
  std::string target;
};

/// Is it slow, and why? Is it lag, waits in mailboxes, or a hot channel? Does
/// memory grow, and where? What died? One finding per question, also if all is
/// well. Pure.
std::vector<finding> diagnose(const observation& x);

page show_findings(const std::vector<finding>& findings, const look& how);
json::value findings_as_json(const std::vector<finding>& findings);

} // namespace fantail::console
