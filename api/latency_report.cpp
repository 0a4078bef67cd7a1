// SPDX-License-Identifier: MIT
#include "api/latency_report.hpp"

namespace fantail {

namespace {

json::value to_json(const histogram& x) {
  return json::object{{"count", x.count()},
                      {"p50_ns", x.quantile(0.5)},
                      {"p90_ns", x.quantile(0.9)},
                      {"p99_ns", x.quantile(0.99)},
                      {"p999_ns", x.quantile(0.999)},
                      {"max_ns", x.max()},
                      {"mean_ns", static_cast<uint64_t>(x.mean())}};
}

} // namespace

void latencies::subtract(const latencies& earlier) {
  total.subtract(earlier.total);
  publish.subtract(earlier.publish);
  lookup.subtract(earlier.lookup);
  batch.subtract(earlier.batch);
  presence_update.subtract(earlier.presence_update);
}

latencies collect_latencies(const telemetry::node& counts) {
  latencies result;
  for (auto& x : counts.egress) {
    result.total.merge(x.total.snapshot());
    result.publish.merge(x.publish.snapshot());
  }
  for (auto& x : counts.shard) {
    result.lookup.merge(x.lookup.snapshot());
    result.batch.merge(x.batch.snapshot());
  }
  for (auto& x : counts.presence)
    result.presence_update.merge(x.update.snapshot());
  return result;
}

json::value latency_report(const latencies& x) {
  return json::object{{"total", to_json(x.total)},
                      {"publish", to_json(x.publish)},
                      {"lookup", to_json(x.lookup)},
                      {"batch", to_json(x.batch)},
                      {"presence_update", to_json(x.presence_update)}};
}

latencies latency_window::current() const {
  std::lock_guard guard{mutex_};
  auto result = collect_latencies(counts_);
  result.subtract(begun_);
  return result;
}

latencies latency_window::restart() {
  std::lock_guard guard{mutex_};
  auto now = collect_latencies(counts_);
  auto result = now;
  result.subtract(begun_);
  begun_ = now;
  return result;
}

} // namespace fantail
