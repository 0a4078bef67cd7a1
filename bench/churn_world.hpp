// SPDX-License-Identifier: MIT
#pragma once

#include "bench/population.hpp"
#include "bench/random.hpp"
#include "client/presence_source.hpp"
#include "core/histogram.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fantail::bench {

/// Users who come, go, move, join and leave at random, and the table that has
/// to come of it. Changes are confirmed, and sent again where an answer is
/// missing, so the model is right whatever is killed meanwhile.
class churn_world {
public:
  /// Who is in a channel and where: instance -> users online there.
  using row = std::map<uint16_t, uint32_t>;

  churn_world(nats::event_loop& loop, nats::connection& via,
              population_config shape, uint64_t seed);

  const population& shape() const noexcept { return world_; }

  /// Brings user number `user` online with its channels.
  void appear(uint32_t user);

  /// One random change of one random user.
  void step();

  /// Changes without an answer.
  size_t unanswered() const { return source_.unanswered(); }
  /// Changes made so far.
  uint64_t changes() const noexcept { return changes_; }

  /// What became of the changes; `latency` since the last call.
  struct answers {
    uint64_t joined_or_left = 0;
    uint64_t rejected = 0;
    uint64_t missing = 0;
    std::string last_refusal;
    histogram latency;
  };
  answers take_answers();

  /// The rows of all channels that somebody online is in, by channel number.
  /// Only while nothing is unanswered.
  std::map<uint32_t, row> table() const;

private:
  struct member {
    std::optional<uint16_t> instance;
    /// Ascending.
    std::vector<uint32_t> channels;
  };

  void change(uint32_t user, presence_op op,
              const std::vector<uint32_t>* channels);
  void come(uint32_t user, bool says_channels);
  void go(uint32_t user);
  void join(uint32_t user);
  void leave(uint32_t user);
  void replace_tenth(uint32_t user);
  std::vector<uint32_t> draw(uint32_t count);

  population world_;
  fast_random random_;
  std::vector<member> members_;
  uint64_t changes_ = 0;
  std::mutex mutex_;
  answers answers_;
  /// Last: its handlers refer to the members above.
  client::presence_source source_;
};

} // namespace fantail::bench
