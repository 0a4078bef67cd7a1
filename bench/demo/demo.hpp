// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>

namespace fantail {

/// What `fantail demo` plays and how it shows it.
struct demo_options {
  /// The server a node is listening on.
  std::string nats_url = "nats://127.0.0.1:4222";
  /// `http://address:port` of that node, for the size of its table; empty =
  /// not shown.
  std::string http_url;
  std::string trace_path = "data/chat-trace.csv.gz";
  /// Seconds of the trace per second. The first four hours of the trace are
  /// its lively ones; 240 plays them in a minute, with some 4,000 messages/s.
  double speed = 240;
  /// Instances, of the formats `frame` and `single` in turn; 1 to 1,000.
  unsigned instances = 12;
  /// Plays the rooms this often at the same time, with new names each; 1 to
  /// 1,000.
  unsigned scale = 1;
  /// Seconds to play; ignored with `forever`.
  double duration_s = 60;
  /// Play until stopped, starting over at the end of the trace.
  bool forever = false;
  /// One JSON object per second, and one at the end with the verdict, instead
  /// of text for people.
  bool json = false;
  /// Where to show it.
  std::FILE* out = stdout;
  /// Set from outside to stop early; the verdict is then about what was
  /// played.
  const std::atomic<bool>* stop = nullptr;
};

/// Replays a chat trace through a running Fantail, checks every delivery and
/// shows how it goes. Returns 0 if nothing was missed, out of order, in excess
/// or lost; 1 if it was, or the trace is unreadable; 2 if an option is out of
/// range; 4 if no server or no node answers. Blocks the calling thread.
int run_demo(const demo_options& options);

} // namespace fantail
