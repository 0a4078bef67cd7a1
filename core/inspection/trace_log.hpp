// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/pull.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// A step on the way of a chat event or of a change of presence.
enum class trace_hop : uint8_t {
  /// Read from its log.
  pulled,
  /// Chat: it is known where it goes.
  routed,
  /// Chat: an egress wrote it to its socket.
  written,
  /// Chat: the server has what that egress wrote.
  confirmed,
  /// Chat: everybody confirmed it, and all before it.
  settled,
  /// Presence: the routing shards were told.
  applied,
  /// Presence: all of them have it.
  in_effect,
};

/// What a viewer wants to follow: one of the three, the others are empty.
struct trace_wish {
  std::string channel;
  /// The header Nats-Msg-Id of a chat event.
  std::string event;
  std::string user;
  /// Ends after so many chat events, or changes of presence.
  size_t limit = 10;
};

/// One event at one hop. Times are steady ns.
struct trace_step {
  trace_hop hop = trace_hop::pulled;
  int64_t at_ns = 0;
  int64_t since_pulled_ns = 0;
  /// The channel of the event, or the user.
  std::string name;
  bool is_presence = false;
  position at;
  uint16_t shard = 0;
  std::string actor;
  std::string detail;
};

/// Follows some events through the actors while somebody watches. Whoever
/// handles them looks whether anybody does, which is one load, and tells
/// what it does if so. Thread safe.
class trace_log {
public:
  /// Ends with its last owner.
  class trace;

  /// Where something happens, and when.
  struct scene {
    std::string actor;
    int64_t now_ns = 0;
  };

  std::shared_ptr<trace> open(trace_wish wish);

  bool is_watched() const noexcept {
    return watched_.load(std::memory_order_relaxed) > 0;
  }

  // -- actors; called only if `is_watched`

  /// `events`, pull `number` of its shard, was routed: event i goes to
  /// `spreads[i]` instances.
  void routed(const pull& events, uint64_t number,
              const std::vector<uint32_t>& spreads, const scene& where);
  /// An egress wrote, or the server has, what it got of that pull.
  void passed(trace_hop hop, shard_id shard, uint64_t number,
              const scene& where);
  /// Everything up to `at` is settled.
  void settled(shard_id shard, position at, const scene& where);

  /// A change of `user` was applied; its deltas go out with the next ones.
  void applied(presence_shard_id shard, std::string_view user, position at,
               int64_t received_at_ns, const scene& where);
  /// What was applied so far is in the deltas up to and with `deltas`.
  void told(presence_shard_id shard, uint64_t deltas);
  /// Routing shards have `deltas` of the deltas.
  void in_effect(presence_shard_id shard, uint64_t deltas, const scene& where);

private:
  template <class F>
  void for_each(F f);

  std::atomic<size_t> watched_ = 0;
  std::mutex mutex_;
  std::vector<std::weak_ptr<trace>> traces_;
};

/// What one viewer sees. Thread safe.
class trace_log::trace {
public:
  /// Steps that wait for a viewer who does not read; what comes then is lost.
  static constexpr size_t steps_max = 10'000;

  trace(trace_log& log, trace_wish wish);
  ~trace();
  trace(const trace&) = delete;
  trace& operator=(const trace&) = delete;

  /// What happened since the last call.
  std::vector<trace_step> take();
  /// Everything that was to be followed has arrived.
  bool is_done() const;

private:
  friend class trace_log;

  struct followed {
    std::string name;
    uint16_t shard = 0;
    position at;
    int64_t received_at_ns = 0;
    /// Of the pull, or of the deltas; 0 if that is not known yet.
    uint64_t number = 0;
    bool is_presence = false;
    bool is_done = false;
  };

  bool is_full() const { return followed_.size() >= wish_.limit; }
  void follow(followed x, const scene& where);
  void note(trace_hop hop, const followed& x, const scene& where,
            std::string detail = {});
  void routed(const pull& events, uint64_t number,
              const std::vector<uint32_t>& spreads, const scene& where);

  trace_log& log_;
  const trace_wish wish_;
  mutable std::mutex mutex_;
  std::vector<followed> followed_;
  std::vector<trace_step> steps_;
};

constexpr std::string_view to_string(trace_hop x) {
  constexpr std::string_view names[]{"pulled",    "routed",  "written",
                                     "confirmed", "settled", "applied",
                                     "in_effect"};
  return names[static_cast<size_t>(x)];
}

} // namespace fantail
