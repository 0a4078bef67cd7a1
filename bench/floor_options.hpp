// SPDX-License-Identifier: MIT
#pragma once

#include "bench/channel_map.hpp"
#include "core/limits.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fantail::bench {

/// What a floor does with the events it pulled.
enum class floor_output : uint8_t {
  /// Nothing: it measures how fast the server hands them out.
  discard,
  /// One NATS message per event and instance.
  single,
  /// Frames, as core/frame.hpp has them.
  frame,
};

struct floor_options {
  std::string url;
  /// Its consumer of shard s is `<consumer>_<s>`; whoever starts the floor has
  /// created it.
  std::string consumer;
  uint16_t shards = limits::shards_default;
  floor_output output = floor_output::frame;
  /// Where the router's table has the channels.
  channel_placement placement;
  /// A channel_map that takes the place of `placement`, in a file; empty =
  /// none.
  std::string map_path;
  uint32_t events_per_pull = limits::pull_events_default;
  uint32_t frame_bytes_max = limits::frame_bytes_default;

  bool operator==(const floor_options&) const = default;
};

std::string_view to_string(floor_output x);

/// The options as words of a command line, each `key=value`: a floor is a
/// process of its own and gets them this way.
std::vector<std::string> to_words(const floor_options& x);

/// Reads such words. Returns nothing, and what is wrong in `why`, if a key or
/// a value is unknown.
std::optional<floor_options>
floor_options_from(const std::vector<std::string>& words, std::string& why);

} // namespace fantail::bench
