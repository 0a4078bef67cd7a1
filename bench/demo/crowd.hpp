// SPDX-License-Identifier: MIT
#pragma once

#include "bench/demo/trace.hpp"
#include "core/clock.hpp"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace fantail::demo {

/// Turns the rows of a trace into what producers and presence sources do, so
/// that everybody is a member before speaking: a user who speaks without a
/// join comes online and joins first, and the message waits for the answer.
/// Who left all channels goes offline.
///
///     row -> take --------+--> actions: online, join, leave, offline, publish
///     answer -> answered -+
///
/// Changes of one user follow each other in the order of the actions; those of
/// different users are all under way at once. Pure and not thread safe.
class crowd {
public:
  struct action {
    enum class kind : uint8_t {
      /// Come online with `channel` as the only channel; answered like a join.
      online,
      join,
      leave,
      /// The session ends; its answer changes nothing.
      offline,
      publish,
    };

    kind what = kind::publish;
    uint32_t channel = 0;
    uint32_t user = 0;
    uint32_t bytes = 0;
    /// When a message should be published: at its time in the trace, or when
    /// its sender is a member, whichever is later.
    time_point intended{};

    bool operator==(const action&) const = default;
  };

  /// Plays a row whose time has come.
  void take(const trace_row& row, time_point now, std::vector<action>& out);

  /// An `online`, `join` or `leave` was answered, or failed.
  void answered(const action& change, bool succeeded, time_point now,
                std::vector<action>& out);

  /// Users with a session.
  size_t online() const noexcept { return online_; }

  /// (user, channel) pairs in effect.
  size_t memberships() const noexcept { return memberships_; }

  /// Messages that wait for a join.
  size_t held_back() const noexcept { return held_back_; }

private:
  enum class stage : uint8_t { joining, member, leaving };

  struct membership {
    stage at = stage::joining;
    /// Whether the last row of the trace was no leave.
    bool is_wanted = true;
    /// Lengths of messages to publish once a member.
    std::vector<uint32_t> waiting;
  };

  struct person {
    bool is_online = false;
    std::unordered_map<uint32_t, membership> channels;
  };

  void enter(uint32_t user, uint32_t channel, std::vector<action>& out);
  void begin_leave(uint32_t user, uint32_t channel, membership& x,
                   std::vector<action>& out);
  void after_join(const action& change, membership& x, time_point now,
                  std::vector<action>& out);
  void drop(uint32_t user, uint32_t channel, std::vector<action>& out);

  std::unordered_map<uint32_t, person> people_;
  size_t online_ = 0;
  size_t memberships_ = 0;
  size_t held_back_ = 0;
};

} // namespace fantail::demo
