// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports.hpp"
#include "runtime/nats/connection.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace fantail::nats {

/// The members stores of a node, over a connection of their own: records are
/// large, and nothing that is urgent should wait behind them.
class member_store final : public member_store_port {
public:
  /// `incarnation` names this life of the node.
  member_store(event_loop& loop, connect_options options,
               std::string incarnation);
  ~member_store() override;

  void start();
  /// No handler is called from now on.
  void stop();
  connection& on() noexcept { return *connection_; }

  void scan(presence_shard_id shard, uint64_t behind,
            batch_handler handler) override;
  void read(presence_shard_id shard, uint64_t sequence,
            read_handler handler) override;
  void append(presence_shard_id shard, const std::string& record,
              append_handler handler) override;
  void purge(presence_shard_id shard, uint64_t before) override;

private:
  std::shared_ptr<connection> link();

  std::string incarnation_;
  std::atomic<uint64_t> last_scan_ = 0;
  std::mutex mutex_;
  std::shared_ptr<connection> connection_;
};

} // namespace fantail::nats
