// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports.hpp"
#include "runtime/nats/jetstream.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fantail::nats {

/// A log as its reader sees it.
struct log_spec {
  stream_config stream;
  /// What the events' subjects begin with; the rest is the channel or user.
  std::string subject_prefix;
  /// Stamped on the pulls.
  shard_id shard;
  /// Names this life of the reader; part of every consumer's name.
  std::string incarnation;
  /// Word for dead letters: "chat", "presence", "register".
  std::string source;
  /// Reads only this subject of a stream that keeps others, too.
  std::string filter = {};
};

class ingest_link;

/// Reads one stream through the link, each `open` with a consumer and an inbox
/// of its own, so that nothing of an earlier attempt can come through. Pulls
/// end where a read of the socket ends: what arrives together stays together.
class log_reader final : public log_reader_port {
public:
  log_reader(ingest_link& link, log_spec spec, control_port& control);
  ~log_reader() override;

  void attach(sink events) override;
  void open(uint64_t attempt, position from) override;
  void request(uint64_t attempt, uint32_t events) override;
  void restore_stream() override;
  void close() override;

private:
  friend class ingest_link;
  struct impl;
  std::shared_ptr<impl> impl_;
};

/// The connection over which a node reads its logs, with a thread of its own.
class ingest_link {
public:
  explicit ingest_link(connect_options options);
  ~ingest_link();

  void start();
  connection& on() noexcept { return *connection_; }

private:
  friend class log_reader;
  void add(std::shared_ptr<log_reader::impl> reader);
  void remove(const std::shared_ptr<log_reader::impl>& reader);

  std::vector<std::shared_ptr<log_reader::impl>> readers_;
  event_loop loop_{"fantail-ingest"};
  std::unique_ptr<connection> connection_;
};

} // namespace fantail::nats
