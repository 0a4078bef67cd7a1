// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports.hpp"
#include "runtime/nats/connection.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace fantail::nats {

/// Reads stretches of shard streams again, each with a short-lived consumer of
/// its own, over a connection that may be busy with other things.
class range_reader final : public range_reader_port {
public:
  /// REQUIRES: `via` outlives the reader and every answer.
  range_reader(connection& via, std::string incarnation);

  void read(shard_id shard, position from, position to, size_t bytes_max,
            std::function<void(result)> handler) override;

private:
  connection& via_;
  std::string incarnation_;
  std::atomic<uint64_t> last_job_ = 0;
};

} // namespace fantail::nats
