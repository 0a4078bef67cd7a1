// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports.hpp"
#include "core/report.hpp"
#include "core/snapshot/snapshot_reader.hpp"
#include "runtime/nats/jetstream.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

namespace fantail::nats {

/// Name and subject of a stream of snapshots.
std::string snapshot_stream_name(snapshot_source of);
std::string snapshot_subject(snapshot_source of);

/// Snapshots in JetStream: a file stream per shard with one subject, from
/// which nothing is ever deleted but the head, so that whole blocks leave and
/// the stream stays as small as what is kept. Has a connection of its own:
/// half a megabyte must not stand in front of an answer.
class snapshot_store final : public snapshot_store_port {
public:
  /// REQUIRES: what is referred to outlives the store.
  snapshot_store(event_loop& loop, connect_options options,
                 report_port& reports);
  ~snapshot_store() override;

  /// Connects; false if that takes longer than `timeout`.
  bool start(duration timeout);
  /// No handler is called any more. Waits for a running one.
  void stop();

  void append(snapshot_source to, std::string part,
              std::function<void(uint64_t)> handler) override;
  void trim(snapshot_source of, uint64_t first_kept) override;
  void trim_log(presence_shard_id shard, position up_to) override;

  /// The complete snapshots of a stream, newest first, and what was wrong on
  /// the way. Waits for the server; never on a loop thread.
  struct search_result {
    std::vector<stored_snapshot> found;
    std::vector<std::string> problems;
  };
  std::variant<search_result, api_error> search(snapshot_source of,
                                                size_t most);

  /// Reads all parts of a snapshot; what is missing there is missing in the
  /// assembly, which says so. Waits for the server; any number of threads may
  /// read at the same time.
  std::variant<snapshot_assembly, api_error> read(const stored_snapshot& x);

private:
  void purge(const std::string& stream, uint64_t first_kept);
  std::shared_ptr<connection> link();

  report_port& reports_;
  std::mutex mutex_;
  /// Null once it was stopped: an actor that has not ended yet may still call.
  std::shared_ptr<connection> connection_;
};

} // namespace fantail::nats
