// SPDX-License-Identifier: MIT
#include "runtime/nats/snapshot_store.hpp"

#include "core/subject.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace fantail::nats {

namespace {

constexpr auto append_timeout = std::chrono::seconds{5};

/// Parts asked for and not there yet: enough to keep the server busy.
constexpr size_t reads_under_way_max = 8;

using kind = snapshot_source::kind;

/// The parts of one snapshot on their way; shared with the handlers.
struct reading {
  explicit reading(const stored_snapshot& x) : assembly(x) {}

  std::mutex mutex;
  std::condition_variable changed;
  snapshot_assembly assembly;
  size_t under_way = 0;
  std::optional<api_error> failure;
};

} // namespace

std::string snapshot_stream_name(snapshot_source of) {
  return of.what == kind::presence
             ? subjects::presence_snapshots_stream(of.shard)
             : subjects::routing_snapshots_stream(of.shard);
}

std::string snapshot_subject(snapshot_source of) {
  return of.what == kind::presence ? subjects::presence_snapshots(of.shard)
                                   : subjects::routing_snapshots(of.shard);
}

snapshot_store::snapshot_store(event_loop& loop, connect_options options,
                               report_port& reports)
    : reports_(reports),
      connection_(std::make_shared<connection>(loop, std::move(options))) {
  // nop
}

snapshot_store::~snapshot_store() = default;

bool snapshot_store::start(duration timeout) {
  connection_->start();
  return connection_->wait_up(timeout);
}

void snapshot_store::stop() {
  std::shared_ptr<connection> ended;
  std::lock_guard guard{mutex_};
  ended.swap(connection_);
}

std::shared_ptr<connection> snapshot_store::link() {
  std::lock_guard guard{mutex_};
  return connection_;
}

void snapshot_store::append(snapshot_source to, std::string part,
                            std::function<void(uint64_t)> handler) {
  auto via = link();
  if (!via) {
    handler(0);
    return;
  }
  publish_with_ack(*via, snapshot_subject(to), part, {}, append_timeout,
                   [handler = std::move(handler)](publish_ack ack) {
                     handler(ack.error ? 0 : ack.sequence);
                   });
  via->flush();
}

void snapshot_store::trim(snapshot_source of, uint64_t first_kept) {
  purge(snapshot_stream_name(of), first_kept);
}

void snapshot_store::trim_log(presence_shard_id shard, position up_to) {
  purge(subjects::presence_stream(shard.value), up_to.value + 1);
}

void snapshot_store::purge(const std::string& stream, uint64_t first_kept) {
  auto via = link();
  if (!via)
    return;
  purge_before(*via, stream, first_kept,
               [this, stream](api_result<std::monostate> x) {
                 // The next round trims it as well.
                 if (auto* error = std::get_if<api_error>(&x))
                   reports_.warn("storage", "stream-not-trimmed",
                                 {{"stream", stream}, {"reason", error->text}});
               });
}

std::variant<snapshot_store::search_result, api_error>
snapshot_store::search(snapshot_source of, size_t most) {
  auto stream = snapshot_stream_name(of);
  auto state = wait_for<stream_state>([&](auto done) {
    read_stream_state(*connection_, stream, std::move(done));
  });
  if (auto* error = std::get_if<api_error>(&state))
    return *error;
  auto& range = std::get<0>(state);
  snapshot_search search{of, range.first, range.messages == 0 ? 0 : range.last,
                         most};
  while (auto at = search.next()) {
    auto message = wait_for<std::optional<std::string>>([&](auto done) {
      read_message(*connection_, stream, *at, std::move(done));
    });
    if (auto* error = std::get_if<api_error>(&message))
      return *error;
    search.take(std::get<0>(message));
  }
  return search_result{search.found(), search.problems()};
}

std::variant<snapshot_assembly, api_error>
snapshot_store::read(const stored_snapshot& x) {
  auto job = std::make_shared<reading>(x);
  auto stream = snapshot_stream_name(x.of);
  std::unique_lock guard{job->mutex};
  for (auto at = x.first; at <= x.last && !job->failure; ++at) {
    job->changed.wait(guard,
                      [&] { return job->under_way < reads_under_way_max; });
    ++job->under_way;
    guard.unlock();
    read_message(*connection_, stream, at,
                 [job, at](api_result<std::optional<std::string>> message) {
                   std::lock_guard lock{job->mutex};
                   if (auto* error = std::get_if<api_error>(&message))
                     job->failure = *error;
                   else
                     job->assembly.take(at, std::get<0>(std::move(message)));
                   --job->under_way;
                   job->changed.notify_all();
                 });
    guard.lock();
  }
  job->changed.wait(guard, [&] { return job->under_way == 0; });
  if (job->failure)
    return *job->failure;
  return std::move(job->assembly);
}

} // namespace fantail::nats
