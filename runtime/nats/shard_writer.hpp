// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports.hpp"
#include "runtime/nats/connection.hpp"
#include "runtime/nats/event_loop.hpp"

#include <functional>
#include <memory>
#include <string>

namespace fantail::nats {

/// Publishes into the streams of shards, over a connection and a thread of its
/// own. The server handles a connection's messages in order and acknowledges
/// those of one stream in order, so an answer needs no number. Answers that
/// were read together are handed on together.
class shard_writer final : public shard_writer_port {
public:
  /// `stream_of` names the stream of a shard.
  shard_writer(connect_options options,
               std::function<std::string(uint16_t)> stream_of);
  ~shard_writer() override;

  void attach(sink events) override;
  void read_end(shard_id shard, uint64_t attempt) override;
  bool publish(shard_id shard, uint64_t attempt, std::string_view subject,
               std::string_view headers, std::string_view body) override;
  void flush() override;
  void close() override;

private:
  void on_reply(const message& x);

  std::function<std::string(uint16_t)> stream_of_;
  std::string inbox_;
  // These belong to the loop's thread.
  sink out_;
  std::vector<answer> answers_;
  event_loop loop_;
  std::unique_ptr<connection> connection_;
};

} // namespace fantail::nats
