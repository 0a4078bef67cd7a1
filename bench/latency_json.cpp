// SPDX-License-Identifier: MIT
#include "bench/latency_json.hpp"

#include <algorithm>

namespace fantail::bench {

latency_summary summarize(const histogram& x) {
  return {x.count(), x.quantile(0.5), x.quantile(0.99), x.quantile(0.999),
          x.max()};
}

json::value to_json(const latency_summary& x) {
  return json::object{{"count", x.count},
                      {"p50_ns", x.p50_ns},
                      {"p99_ns", x.p99_ns},
                      {"p999_ns", x.p999_ns},
                      {"max_ns", x.max_ns}};
}

latency_summary latency_from_json(const json::value& x) {
  auto number = [&](std::string_view key) {
    return static_cast<uint64_t>(std::max<int64_t>(x.int_or(key, 0), 0));
  };
  return {number("count"), number("p50_ns"), number("p99_ns"),
          number("p999_ns"), number("max_ns")};
}

} // namespace fantail::bench
