// SPDX-License-Identifier: MIT
#include "runtime/metrics/exporter.hpp"

#include "core/subject.hpp"
#include "runtime/metrics/metric_tables.hpp"
#include "runtime/metrics/process_usage.hpp"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace fantail {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

namespace {

using labels = std::vector<ClientMetric::Label>;

/// Upper borders of latency buckets, ns.
template <size_t N>
using borders = std::array<uint64_t, N>;

constexpr uint64_t us = 1'000;
constexpr uint64_t ms = 1'000'000;
constexpr uint64_t s = 1'000'000'000;

constexpr borders<7> routing_borders{100 * us, 500 * us, 1 * ms,  5 * ms,
                                     10 * ms,  50 * ms,  100 * ms};
constexpr borders<7> batch_borders{1 * ms,   5 * ms,   10 * ms, 50 * ms,
                                   100 * ms, 500 * ms, 1 * s};
constexpr borders<7> presence_borders{1 * ms,   10 * ms, 50 * ms, 100 * ms,
                                      500 * ms, 1 * s,   5 * s};
constexpr borders<5> wait_borders{10 * us, 100 * us, 1 * ms, 10 * ms, 100 * ms};

double to_seconds(uint64_t ns) {
  return static_cast<double>(ns) / static_cast<double>(s);
}

template <size_t N>
ClientMetric::Histogram to_buckets(histogram x, const borders<N>& upper) {
  ClientMetric::Histogram result;
  result.sample_count = x.count();
  result.sample_sum = to_seconds(x.sum());
  // A histogram counts the bucket that a border cuts in two only if the border
  // is above its maximum. That count would be taken back as soon as something
  // larger comes, which Prometheus takes for a restart; with one huge value
  // in it, it never counts that bucket.
  x.record(INT64_MAX);
  for (auto border : upper)
    result.bucket.push_back({x.cumulative_below(border), to_seconds(border)});
  return result;
}

/// All of a deque's histograms in one.
template <class Parts, class Part>
histogram merged(const Parts& parts, atomic_histogram Part::*member) {
  histogram result;
  for (auto& x : parts)
    result.merge((x.*member).snapshot());
  return result;
}

template <class Parts, class Part>
double sum(const Parts& parts, telemetry::counter Part::*member) {
  uint64_t result = 0;
  for (auto& x : parts)
    result += (x.*member).get();
  return static_cast<double>(result);
}

/// Splits `source/reason`.
std::pair<std::string, std::string> split(const std::string& name) {
  auto slash = std::min(name.find('/'), name.size());
  return {name.substr(0, slash), name.substr(std::min(slash + 1, name.size()))};
}

/// Families in the making; `add` goes to the one begun last.
class family_list {
public:
  std::vector<MetricFamily> families;

  void counter(std::string name, std::string help) {
    begin(MetricType::Counter, std::move(name), std::move(help));
  }
  void gauge(std::string name, std::string help) {
    begin(MetricType::Gauge, std::move(name), std::move(help));
  }
  void histogram(std::string name, std::string help) {
    begin(MetricType::Histogram, std::move(name), std::move(help));
  }

  void add(double value, labels names = {}) {
    auto& x = next(std::move(names));
    if (families.back().type == MetricType::Counter)
      x.counter.value = value;
    else
      x.gauge.value = value;
  }
  void add(ClientMetric::Histogram value, labels names = {}) {
    next(std::move(names)).histogram = std::move(value);
  }

private:
  void begin(MetricType type, std::string name, std::string help) {
    families.push_back({std::move(name), std::move(help), type, {}});
  }
  ClientMetric& next(labels names) {
    auto& x = families.back().metric.emplace_back();
    x.label = std::move(names);
    return x;
  }
};

} // namespace

class exporter::source final : public prometheus::Collectable {
public:
  source(const telemetry::node& counts, const instance_directory& instances)
      : counts_(counts), instances_(instances), routed_(counts.shard.size()) {}

  std::vector<MetricFamily> Collect() const override {
    family_list out;
    collect_messages(out);
    collect_sizes(out);
    collect_latencies(out);
    collect_presence(out);
    collect_sums(counts_.presence, presence_metrics, out);
    collect_sums(counts_.shard, table_metrics, out);
    collect_snapshots(out);
    collect_positions(out);
    collect_losses(out);
    collect_process(out);
    return std::move(out.families);
  }

private:
  void collect_messages(family_list& out) const;
  void collect_sizes(family_list& out) const;
  void collect_latencies(family_list& out) const;
  void collect_presence(family_list& out) const;
  template <class Part, size_t N>
  static void collect_sums(const std::deque<Part>& parts,
                           const summed_metric<Part> (&metrics)[N],
                           family_list& out);
  void collect_snapshots(family_list& out) const;
  void collect_positions(family_list& out) const;
  void collect_losses(family_list& out) const;
  static void collect_process(family_list& out);

  uint64_t routed(size_t shard) const;
  template <size_t N>
  ClientMetric::Histogram
  sizes(telemetry::size_histogram<N> telemetry::shard::*member) const;

  const telemetry::node& counts_;
  const instance_directory& instances_;
  mutable std::mutex mutex_;
  /// The most events of each shard that were ever shown as routed.
  mutable std::vector<uint64_t> routed_;
};

uint64_t exporter::source::routed(size_t shard) const {
  auto& x = counts_.shard[shard];
  // The two counters are not read at the same instant, and their difference
  // must not fall.
  auto events = x.events.get();
  auto now = events - std::min(x.unroutable.get(), events);
  std::lock_guard guard{mutex_};
  return routed_[shard] = std::max(routed_[shard], now);
}

void exporter::source::collect_messages(family_list& out) const {
  out.counter("fanout_messages_processed_total",
              "Chat events handled, by stream and result: routed, unroutable "
              "(nobody in the channel is online) or rejected (a dead letter).");
  for (size_t i = 0; i < counts_.shard.size(); ++i) {
    auto& x = counts_.shard[i];
    auto stream = subjects::shard_stream(static_cast<uint16_t>(i));
    auto add = [&](const char* result, uint64_t count) {
      out.add(static_cast<double>(count),
              {{"stream", stream}, {"result", result}});
    };
    add("routed", routed(i));
    add("unroutable", x.unroutable.get());
    add("rejected", x.rejected.get());
  }
  out.counter("fanout_messages_routed_total",
              "Chat events routed to each instance.");
  auto size = static_cast<uint16_t>(instances_.size());
  for (uint16_t i = 0; i < size; ++i) {
    uint64_t count = 0;
    for (auto& x : counts_.egress)
      count += x.routed[i].get();
    if (count > 0)
      out.add(static_cast<double>(count),
              {{"target_instance",
                std::string{instances_.name_of(instance_index{i})}}});
  }
}

template <size_t N>
ClientMetric::Histogram exporter::source::sizes(
    telemetry::size_histogram<N> telemetry::shard::*member) const {
  ClientMetric::Histogram result;
  // From the lowest bucket to the sum of all: what is recorded meanwhile can
  // only make a later bucket larger.
  for (size_t i = 0; i < N; ++i) {
    uint64_t count = 0;
    double border = 0;
    for (auto& x : counts_.shard) {
      count += (x.*member).up_to(i);
      border = (x.*member).borders()[i];
    }
    result.bucket.push_back({count, border});
  }
  for (auto& x : counts_.shard) {
    result.sample_count += (x.*member).up_to(N);
    result.sample_sum += static_cast<double>((x.*member).sum());
  }
  return result;
}

void exporter::source::collect_sizes(family_list& out) const {
  out.histogram("fanout_batch_size", "Chat events fetched together.");
  out.add(sizes(&telemetry::shard::batch_size));
  out.histogram("fanout_publishes_per_message",
                "Instances a chat event is routed to.");
  out.add(sizes(&telemetry::shard::publishes_per_message));
}

void exporter::source::collect_latencies(family_list& out) const {
  out.histogram("fanout_routing_latency_seconds",
                "Time of a chat event in the router: lookup (finding its "
                "instances), publish (a flush to NATS), total (from its "
                "arrival to its handing over to NATS).");
  auto add = [&](const char* operation, const fantail::histogram& x) {
    out.add(to_buckets(x, routing_borders), {{"operation", operation}});
  };
  add("lookup", merged(counts_.shard, &telemetry::shard::lookup));
  add("publish", merged(counts_.egress, &telemetry::egress::publish));
  add("total", merged(counts_.egress, &telemetry::egress::total));
  out.histogram("fanout_batch_processing_latency_seconds",
                "Time to route the chat events fetched together.");
  out.add(to_buckets(merged(counts_.shard, &telemetry::shard::batch),
                     batch_borders));
  out.histogram("fanout_presence_update_latency_seconds",
                "Time from the arrival of a presence change to its being in "
                "effect in every routing table.");
  out.add(to_buckets(merged(counts_.presence, &telemetry::presence::update),
                     presence_borders));
  out.histogram("fanout_mailbox_wait_seconds",
                "Time a message waits in the mailbox of an actor, by kind of "
                "actor; sampled.");
  for (auto& [actor, waits] : counts_.waits.snapshot())
    out.add(to_buckets(waits, wait_borders), {{"actor", actor}});
}

void exporter::source::collect_presence(family_list& out) const {
  using telemetry::presence;
  out.counter("fanout_presence_updates_total",
              "Presence changes read, the rejected ones included.");
  out.add(sum(counts_.presence, &presence::updates));
  out.counter("fanout_presence_rejected_total", "Presence changes rejected.");
  out.add(sum(counts_.presence, &presence::rejected));
  out.gauge("fanout_users_online", "Users with a session.");
  out.add(sum(counts_.presence, &presence::users_online));
  out.gauge("fanout_sessions_online", "Sessions of users.");
  out.add(sum(counts_.presence, &presence::sessions));
  out.gauge("fanout_presence_zombies",
            "Sessions whose time to live ran out and that are still there.");
  out.add(sum(counts_.presence, &presence::zombies));
}

template <class Part, size_t N>
void exporter::source::collect_sums(const std::deque<Part>& parts,
                                    const summed_metric<Part> (&metrics)[N],
                                    family_list& out) {
  for (auto& x : metrics) {
    if (x.is_counter)
      out.counter(x.name, x.help);
    else
      out.gauge(x.name, x.help);
    out.add(sum(parts, x.member));
  }
}

void exporter::source::collect_snapshots(family_list& out) const {
  auto& x = counts_.snapshots;
  out.counter("fanout_snapshots_total",
              "Snapshots of shards, by result: written or failed.");
  out.add(static_cast<double>(x.written.get()), {{"result", "written"}});
  out.add(static_cast<double>(x.failed.get()), {{"result", "failed"}});
  out.counter("fanout_snapshot_bytes_total", "Bytes of snapshots sent.");
  out.add(static_cast<double>(x.bytes.get()));
  out.gauge("fanout_presence_records_behind",
            "Records of the presence logs behind the newest snapshots: what a "
            "start would replay.");
  out.add(static_cast<double>(x.records_behind.get()));
}

void exporter::source::collect_positions(family_list& out) const {
  auto for_each_shard
      = [&](telemetry::counter telemetry::shard::*member, const labels& more) {
          for (size_t i = 0; i < counts_.shard.size(); ++i) {
            auto stream = subjects::shard_stream(static_cast<uint16_t>(i));
            labels all{{"stream", stream}};
            all.insert(all.end(), more.begin(), more.end());
            out.add(static_cast<double>((counts_.shard[i].*member).get()), all);
          }
        };
  out.gauge("fanout_jetstream_consumer_lag",
            "Chat events in a stream that are not settled.");
  for_each_shard(&telemetry::shard::lag, {{"consumer", "routing_shard"}});
  out.gauge("fanout_shard_settled_position",
            "Position up to which a stream is delivered as far as promised.");
  for_each_shard(&telemetry::shard::settled_to, {});
  out.counter("fanout_positions_lost_total",
              "Positions that were gone from a stream before they were read.");
  for_each_shard(&telemetry::shard::lost_positions, {});
}

void exporter::source::collect_losses(family_list& out) const {
  using telemetry::egress;
  out.counter("fanout_events_dropped_total",
              "Deliveries dropped, by class of the chat event and reason.");
  auto dropped = [&](event_class cls, telemetry::counter egress::*member) {
    out.add(
        sum(counts_.egress, member),
        {{"class", std::string{to_string(cls)}}, {"reason", "queue_overflow"}});
  };
  dropped(event_class::important, &egress::dropped_important);
  dropped(event_class::best_effort, &egress::dropped_best_effort);
  out.counter("fanout_instances_lagging_total",
              "How often an instance fell behind its window.");
  out.add(sum(counts_.egress, &egress::lagging));
  for (auto& x : node_metrics) {
    x.is_counter ? out.counter(x.name, x.help) : out.gauge(x.name, x.help);
    out.add(static_cast<double>((counts_.*x.member).get()));
  }
  out.gauge("fanout_instances_silent",
            "Instances that get nothing now: frame instances that are dead, "
            "single ones that nobody listens for.");
  out.add(static_cast<double>(counts_.instances_dead.get()),
          {{"format", "frame"}});
  out.add(sum(counts_.egress, &egress::absent), {{"format", "single"}});
  out.counter("fanout_deliveries_unheard_total",
              "Deliveries dropped because the server said that nobody "
              "listened.");
  out.add(sum(counts_.egress, &egress::unheard));
  out.counter("fanout_messages_rejected_total",
              "Messages nobody could accept, by source and reason.");
  for (auto& [name, count] : counts_.rejected.snapshot()) {
    auto [source, reason] = split(name);
    out.add(static_cast<double>(count),
            {{"source", source}, {"reason", reason}});
  }
  out.counter("fanout_events_total",
              "Rare events inside the node, such as lost connections.");
  for (auto& [name, count] : counts_.events.snapshot())
    out.add(static_cast<double>(count), {{"event", name}});
}

void exporter::source::collect_process(family_list& out) {
  auto usage = read_process_usage();
  if (!usage)
    return;
  out.gauge("process_resident_memory_bytes", "Resident memory of the node.");
  out.add(static_cast<double>(usage->resident_bytes));
  out.counter("process_cpu_seconds_total", "User and system time of the node.");
  out.add(usage->cpu_seconds);
  out.gauge("process_open_fds", "Open file descriptors of the node.");
  out.add(static_cast<double>(usage->open_files));
  out.gauge("process_start_time_seconds",
            "When the node was started, in seconds since 1970.");
  out.add(usage->started_at_seconds);
}

exporter::exporter(const telemetry::node& counts,
                   const instance_directory& instances)
    : source_(std::make_unique<source>(counts, instances)) {
  // nop
}

exporter::~exporter() = default;

std::string exporter::render() const {
  return prometheus::TextSerializer{}.Serialize(source_->Collect());
}

} // namespace fantail
