// SPDX-License-Identifier: MIT
#pragma once

#include "core/histogram.hpp"
#include "core/json.hpp"

#include <cstdint>

namespace fantail::bench {

/// The quantiles of a window of latencies, in nanoseconds, as every program of
/// a benchmark reports them.
struct latency_summary {
  uint64_t count = 0;
  uint64_t p50_ns = 0;
  uint64_t p99_ns = 0;
  uint64_t p999_ns = 0;
  uint64_t max_ns = 0;
};

latency_summary summarize(const histogram& x);

/// `{"count":..,"p50_ns":..,"p99_ns":..,"p999_ns":..,"max_ns":..}`, the form
/// of `GET /debug/latency`.
json::value to_json(const latency_summary& x);

/// Reads that form; members that are absent stay 0.
latency_summary latency_from_json(const json::value& x);

} // namespace fantail::bench
