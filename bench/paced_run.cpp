// SPDX-License-Identifier: MIT
#include "bench/paced_run.hpp"

#include "bench/machine_facts.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <future>
#include <numeric>
#include <thread>

namespace fantail::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto sample_interval = 10ms;
constexpr auto drain_patience = 10s;

/// What all processes have used, before and after.
struct usage_snapshot {
  steady::time_point at = steady::now();
  process_usage program, server, bench;

  explicit usage_snapshot(const paced_run_parts& parts)
      : program(usage_of(parts.program.pid())),
        server(usage_of(parts.bed.server_pid())), bench(usage_of(::getpid())) {}
};

void note_usage(paced_run_result& result, const usage_snapshot& before,
                const usage_snapshot& after) {
  auto seconds = std::chrono::duration<double>(after.at - before.at).count();
  auto share = [&](const process_usage& from, const process_usage& to) {
    return (to.cpu_seconds - from.cpu_seconds) / seconds;
  };
  result.cpu_program = share(before.program, after.program);
  result.cpu_server = share(before.server, after.server);
  result.cpu_bench = share(before.bench, after.bench);
  result.resident_bytes = after.program.resident_bytes;
}

uint64_t sum(const std::vector<uint64_t>& heads) {
  return std::accumulate(heads.begin(), heads.end(), uint64_t{0});
}

/// What the streams hold of `published` events behind `before`, once they have
/// it all, or when nothing comes any more.
uint64_t wait_stored(test_bed& bed, uint64_t before, uint64_t published) {
  auto stored = sum(bed.heads()) - before;
  auto deadline = steady::now() + drain_patience;
  while (stored < published && steady::now() < deadline) {
    std::this_thread::sleep_for(sample_interval);
    stored = sum(bed.heads()) - before;
  }
  return stored;
}

/// Looks at the lag until `done`, every 10 ms, and shows it: events published
/// and not delivered yet.
class lag_watch {
public:
  lag_watch(const paced_run_parts& parts, uint16_t spread)
      : parts_(parts), spread_(spread),
        published_before_(parts.source.published()) {}

  uint64_t lag() const {
    auto published = parts_.source.published() - published_before_;
    auto delivered = parts_.sink.deliveries() / spread_;
    return published > delivered ? published - delivered : 0;
  }

  void watch(std::future<load_generator::outcome>& done, histogram* samples) {
    while (done.wait_for(sample_interval) == std::future_status::timeout) {
      auto now = lag();
      if (samples)
        samples->record(static_cast<int64_t>(now));
      parts_.progress.detail(
          fmt::format("{} delivered, lag {}", parts_.sink.deliveries(), now));
    }
  }

private:
  const paced_run_parts& parts_;
  uint16_t spread_;
  uint64_t published_before_;
};

std::future<load_generator::outcome> start_load(const paced_run_parts& parts,
                                                double rate, duration length) {
  return std::async(std::launch::async, [&parts, rate, length] {
    return parts.source.publish(rate, length, parts.stop);
  });
}

/// Waits until everything arrived, or nothing new came for a while.
void wait_drained(const paced_run_parts& parts, uint64_t expected) {
  auto seen = parts.sink.deliveries();
  auto seen_at = steady::now();
  while (seen < expected && steady::now() - seen_at < drain_patience) {
    std::this_thread::sleep_for(sample_interval);
    if (std::exchange(seen, parts.sink.deliveries()) != seen)
      seen_at = steady::now();
  }
  // What should not come needs a moment, too.
  std::this_thread::sleep_for(200ms);
}

} // namespace

paced_run_result run_paced(const paced_run_parts& parts,
                           const paced_run_options& options) {
  paced_run_result result;
  parts.sink.begin_run();
  auto published_before = parts.source.published();
  auto stored_before = sum(parts.bed.heads());
  lag_watch lag{parts, options.spread};
  std::future<presence_load::churn_outcome> churn;
  if (options.presence_changes > 0)
    churn = std::async(std::launch::async, [&] {
      return parts.presence->churn(options.presence_changes,
                                   options.warm_up + options.length,
                                   parts.stop);
    });
  auto warm_up = start_load(parts, options.rate, options.warm_up);
  lag.watch(warm_up, nullptr);
  warm_up.get();
  parts.sink.begin_window();
  parts.program.begin_window();
  usage_snapshot before{parts};
  histogram lags;
  auto load = start_load(parts, options.rate, options.length);
  lag.watch(load, &lags);
  auto outcome = load.get();
  usage_snapshot after{parts};
  parts.source.wait_acknowledged(drain_patience);
  result.published = parts.source.published() - published_before;
  result.stored = wait_stored(parts.bed, stored_before, result.published);
  result.expected = result.stored * options.spread;
  wait_drained(parts, result.expected);
  auto received = parts.sink.take_totals();
  result.delivered = received.deliveries;
  result.frames = received.frames;
  result.end_to_end = summarize(received.latency);
  result.inside = parts.program.latency();
  result.lateness = summarize(outcome.lateness);
  result.lag_p50 = lags.quantile(0.5);
  result.lag_p99 = lags.quantile(0.99);
  result.lag_max = lags.max();
  note_usage(result, before, after);
  if (churn.valid())
    result.presence = churn.get();
  return result;
}

json::value to_json(const paced_run_result& x) {
  return json::object{
      {"published", x.published},
      {"stored", x.stored},
      {"expected", x.expected},
      {"delivered", x.delivered},
      {"repeats", x.frames.repeats},
      {"gaps", x.frames.gaps},
      {"lagging", x.frames.lagging},
      {"end_to_end", to_json(x.end_to_end)},
      {"inside", to_json(x.inside)},
      {"generator_lateness", to_json(x.lateness)},
      {"lag_p50", x.lag_p50},
      {"lag_p99", x.lag_p99},
      {"lag_max", x.lag_max},
      {"presence_changes", x.presence.changes},
      {"presence_answers", x.presence.answered},
      {"presence_latency", to_json(summarize(x.presence.answer_latency))},
      {"cpu_program", x.cpu_program},
      {"cpu_server", x.cpu_server},
      {"cpu_bench", x.cpu_bench},
      {"resident_bytes", x.resident_bytes},
  };
}

} // namespace fantail::bench
