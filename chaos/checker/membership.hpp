// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/checker/user_states.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace fantail::chaos {

/// What one instance has to do with one channel, over time.
struct link {
  struct span {
    time_point opened;
    std::optional<time_point> closed;
  };

  /// Users who surely are here, and who may be.
  uint32_t must = 0;
  uint32_t may = 0;
  /// When somebody may have been here, in order; the last may be open.
  std::vector<span> spans;
  /// Position of the newest event the instance received of this channel, and
  /// when.
  position last;
  time_point last_at;
};

/// The links of all channels. Pure and not thread safe.
class membership {
public:
  /// An instance of a channel, and its link.
  using entry = std::pair<instance_number, link>;

  void apply(const place_changes& x, time_point now);

  /// The instances that ever had to do with the channel.
  const std::vector<entry>& of(channel_number channel) const;

  /// Makes a link that nobody ever asked for.
  link& at(const place& x);
  const link* find(const place& x) const;

private:
  std::vector<std::vector<entry>> channels_;
};

} // namespace fantail::chaos
