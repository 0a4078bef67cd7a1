// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/nats/connection.hpp"
#include "runtime/nats/jetstream.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace fantail::nats {

/// Reads what a stream holds once, with a short-lived consumer of its own,
/// over a connection that may be busy with other things. Handlers run on the
/// loop's thread; `on_end` is called exactly once, unless the connection is
/// destroyed.
struct stream_scan {
  std::string stream;
  /// Never used again.
  std::string consumer;
  /// Begins behind this position.
  uint64_t behind = 0;
  /// Messages asked for at once.
  uint32_t batch = 2'000;

  /// The stream as it is now; false ends the scan.
  std::function<bool(const stream_state&)> on_state;
  /// The next message; false ends the scan.
  std::function<bool(const delivery_info&, const message&)> on_message;
  /// There is nothing more; false if the server refused or did not answer.
  std::function<void(bool is_complete)> on_end;
};

void start_scan(connection& via, stream_scan scan);

} // namespace fantail::nats
