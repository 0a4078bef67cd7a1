// SPDX-License-Identifier: MIT
#pragma once

#include "bench/population.hpp"
#include "bench/test_bed.hpp"

#include <cstdint>
#include <memory>

namespace fantail::bench {

/// Somewhere on a server where each user has a channel list. One thread.
class member_layout {
public:
  virtual ~member_layout() = default;
  /// Replaces the user's list. May wait for the server.
  virtual void update(uint32_t user, const channel_list& list) = 0;
  /// Waits until everything is stored.
  virtual void finish() = 0;
  /// Reads `count` lists at random, many at a time; returns the seconds.
  virtual double read(uint32_t count) = 0;
  /// Bytes of the lists, as they are stored.
  virtual uint64_t live_bytes() const = 0;
};

/// A stream that keeps one message per subject, and a subject per user.
std::unique_ptr<member_layout> make_compacted_layout(test_bed& bed,
                                                     uint32_t users);

/// The members store of one presence shard.
std::unique_ptr<member_layout> make_appended_layout(test_bed& bed,
                                                    uint32_t users);

} // namespace fantail::bench
