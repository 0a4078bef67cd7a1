// SPDX-License-Identifier: MIT
#pragma once

#include "core/histogram.hpp"
#include "core/json.hpp"
#include "core/telemetry.hpp"

#include <mutex>

namespace fantail {

/// Every latency a node records, merged over its actors.
struct latencies {
  /// From the read of a chat event to its handing over to NATS.
  histogram total;
  /// A flush to NATS.
  histogram publish;
  /// Finding the instances of one chat event.
  histogram lookup;
  /// Routing what was fetched together.
  histogram batch;
  /// From the read of a presence change to its being in effect everywhere.
  histogram presence_update;

  void subtract(const latencies& earlier);
};

/// Since the start of the node.
latencies collect_latencies(const telemetry::node& counts);

/// `{"total": {"count", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns",
/// "mean_ns"}, ...}`. Quantiles are at most 1/32 too large; so is the maximum
/// of a window, while that since the start is exact.
json::value latency_report(const latencies& x);

/// Looks at the latencies since a moment of one's choice, without disturbing
/// those who write them. There is one window per node, for whoever measures.
/// Thread safe.
class latency_window {
public:
  /// The first window begins with the node.
  explicit latency_window(const telemetry::node& counts) : counts_(counts) {}

  /// What was recorded since the window began.
  latencies current() const;

  /// The same, and a new window begins right behind it.
  latencies restart();

private:
  const telemetry::node& counts_;
  mutable std::mutex mutex_;
  latencies begun_;
};

} // namespace fantail
