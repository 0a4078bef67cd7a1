// SPDX-License-Identifier: MIT
#include "bench/route_bench.hpp"

#include <algorithm>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

/// Events in the prepared pulls of each shard: more than any cache keeps of
/// their rows, few enough to prepare quickly.
constexpr uint64_t events_prepared_max = 2'000'000;

/// One prepared pull and the shard it is for.
struct job {
  uint16_t shard;
  pull_ptr events;
};

class job_maker {
public:
  job_maker(loaded_tables& tables, const route_bench_config& config)
      : tables_(tables), config_(config),
        traffic_(tables.world().config().channels, config.zipf_exponent,
                 config.tables.population.seed),
        random_(config.tables.population.seed + 1) {
    for (uint16_t i = 0; i < tables.routers().size(); ++i)
      builders_.emplace_back(shard_id{i}, position{0});
  }

  /// Pulls of `size` events, `events` altogether.
  std::vector<job> make(uint64_t events, uint32_t size) {
    std::vector<job> result;
    for (uint64_t made = 0; made < events;) {
      auto channel = traffic_.next();
      auto shard = tables_.shard_of(channel);
      if (shard >= builders_.size())
        continue;
      auto& builder = builders_[shard];
      auto unknown = random_.unit() < config_.unknown_share;
      auto name = unknown ? short_name{"unknown_", channel, 8}
                          : population::channel_name(channel);
      builder.add(position{builder.to().value + 1}, ++now_ns_, name, {}, {});
      ++made;
      if (builder.size() == size)
        result.push_back({shard, builder.finish(0, 1)});
    }
    for (uint16_t i = 0; i < builders_.size(); ++i)
      if (builders_[i].size() > 0)
        result.push_back({i, builders_[i].finish(0, 1)});
    return result;
  }

private:
  loaded_tables& tables_;
  const route_bench_config& config_;
  traffic_sampler traffic_;
  fast_random random_;
  std::vector<pull_builder> builders_;
  int64_t now_ns_ = 1;
};

double quantile(const std::vector<uint32_t>& sorted, double q) {
  if (sorted.empty())
    return 0;
  auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<size_t>(last * q)];
}

uint64_t deliveries_of(const std::vector<shard_router>& routers) {
  uint64_t result = 0;
  for (auto& router : routers)
    result += router.counters().deliveries;
  return result;
}

void measure_throughput(loaded_tables& tables, job_maker& jobs,
                        const route_bench_config& config,
                        route_bench_result& result) {
  auto prepared = jobs.make(std::min(config.events, events_prepared_max),
                            config.events_per_pull);
  std::vector<delivery_list> groups(config.egress_groups);
  auto& routers = tables.routers();
  auto before = deliveries_of(routers);
  uint64_t routed = 0;
  auto begin = thread_time();
  while (routed < config.events) {
    for (auto& x : prepared) {
      routers[x.shard].route(*x.events, groups);
      routed += x.events->size();
    }
  }
  auto seconds = std::chrono::duration<double>(thread_time() - begin).count();
  auto deliveries = static_cast<double>(deliveries_of(routers) - before);
  auto events = static_cast<double>(std::max<uint64_t>(routed, 1));
  result.lookups_per_second = events / std::max(seconds, 1e-9);
  result.deliveries_per_second = deliveries / std::max(seconds, 1e-9);
  result.spread = deliveries / events;
}

void measure_latency(loaded_tables& tables, job_maker& jobs,
                     const route_bench_config& config,
                     route_bench_result& result) {
  auto prepared = jobs.make(config.events_timed, 1);
  std::vector<delivery_list> groups(config.egress_groups);
  auto& routers = tables.routers();
  std::vector<uint32_t> alone, clock;
  for (auto& x : prepared) {
    auto begin = steady::now();
    routers[x.shard].route(*x.events, groups);
    auto end = steady::now();
    auto after = steady::now();
    alone.push_back(static_cast<uint32_t>((end - begin).count()));
    clock.push_back(static_cast<uint32_t>((after - end).count()));
  }
  std::ranges::sort(alone);
  std::ranges::sort(clock);
  result.p50_ns = quantile(alone, 0.5);
  result.p99_ns = quantile(alone, 0.99);
  result.p999_ns = quantile(alone, 0.999);
  result.clock_ns = quantile(clock, 0.5);
}

} // namespace

route_bench_result run_route_bench(const route_bench_config& config,
                                   const progress_callback& progress) {
  route_bench_result result;
  loaded_tables tables{config.tables};
  tables.fill(progress);
  result.memberships = tables.memberships();
  for (auto& router : tables.routers())
    result.channels += router.table().channels().size();
  job_maker jobs{tables, config};
  if (progress)
    progress("route in pulls", 0);
  measure_throughput(tables, jobs, config, result);
  if (progress)
    progress("route one by one", 0);
  measure_latency(tables, jobs, config, result);
  result.resident_bytes = resident_bytes();
  return result;
}

} // namespace fantail::bench
