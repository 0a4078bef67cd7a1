// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/history/record.hpp"

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fantail::chaos {

/// An instance receives the events of a channel.
struct place {
  channel_number channel = 0;
  instance_number instance = 0;
  auto operator<=>(const place&) const = default;
};

/// What one record changed about a user: where it may be from now on or not
/// any more, and where it surely is or not any more.
struct place_changes {
  std::vector<place> may_begin, may_end, must_begin, must_end;
};

/// Where users are, as far as the calls and their answers tell. A call takes
/// effect some time between itself and its answer, and calls of a user do so
/// in their order; so a user is in one of the states behind its answered calls
/// and each unanswered one. It *may* be where any of these states has it, and
/// *surely* is where all of them have it.
///
/// Pure and not thread safe.
class user_states {
public:
  /// A lower and an upper bound.
  using bounds = std::pair<uint64_t, uint64_t>;

  place_changes take(const presence_called& x);
  place_changes take(const presence_answered& x, time_point now);

  /// Whether the user was in a state with these sessions at some time since
  /// it was asked for.
  bool agrees(const user_seen& x) const;

  bounds users_online() const;
  bounds sessions() const;

private:
  struct state {
    std::map<session_number, instance_number> sessions;
    std::set<channel_number> channels;
  };

  struct former_state {
    state was;
    time_point ended;
  };

  struct user {
    /// Behind the answered calls, then behind each unanswered one.
    std::deque<state> states{state{}};
    std::deque<presence_called> unanswered;
    /// The newest states that are over.
    std::deque<former_state> former;
  };

  static void apply(const presence_called& x, state& to);
  static std::vector<place> places_of(const state& x);
  static void places_of(const user& x, std::vector<place>& may,
                        std::vector<place>& must);
  template <class Change>
  static place_changes changed(user& x, Change change);

  std::unordered_map<user_number, user> users_;
  std::unordered_map<call_number, user_number> calls_;
};

} // namespace fantail::chaos
