// SPDX-License-Identifier: MIT
#include "chaos/checker/user_states.hpp"

#include <algorithm>
#include <iterator>

namespace fantail::chaos {

namespace {

/// An answer about a user is compared with so many states that are over.
constexpr size_t former_max = 16;

std::vector<place> difference(const std::vector<place>& of,
                              const std::vector<place>& without) {
  std::vector<place> result;
  std::ranges::set_difference(of, without, std::back_inserter(result));
  return result;
}

} // namespace

void user_states::apply(const presence_called& x, state& to) {
  using enum presence_call_kind;
  switch (x.what) {
  case online:
    to.sessions[x.session] = x.instance;
    // Without channels they stay as they are.
    if (!x.channels.empty())
      to.channels = {x.channels.begin(), x.channels.end()};
    break;
  case offline:
    to.sessions.erase(x.session);
    break;
  case set:
    to.channels = {x.channels.begin(), x.channels.end()};
    break;
  case join:
    to.channels.insert(x.channels.begin(), x.channels.end());
    break;
  case leave:
    for (auto channel : x.channels)
      to.channels.erase(channel);
  }
}

std::vector<place> user_states::places_of(const state& x) {
  std::set<instance_number> instances;
  for (auto& [session, instance] : x.sessions)
    instances.insert(instance);
  std::vector<place> result;
  for (auto channel : x.channels)
    for (auto instance : instances)
      result.push_back({channel, instance});
  return result;
}

void user_states::places_of(const user& x, std::vector<place>& may,
                            std::vector<place>& must) {
  may = must = places_of(x.states.front());
  for (auto i = std::next(x.states.begin()); i != x.states.end(); ++i) {
    auto other = places_of(*i);
    std::vector<place> all, common;
    std::ranges::set_union(may, other, std::back_inserter(all));
    std::ranges::set_intersection(must, other, std::back_inserter(common));
    may = std::move(all);
    must = std::move(common);
  }
}

template <class Change>
place_changes user_states::changed(user& x, Change change) {
  std::vector<place> may_before, must_before, may_after, must_after;
  places_of(x, may_before, must_before);
  change();
  places_of(x, may_after, must_after);
  return {difference(may_after, may_before), difference(may_before, may_after),
          difference(must_after, must_before),
          difference(must_before, must_after)};
}

place_changes user_states::take(const presence_called& x) {
  auto& user = users_[x.user];
  calls_[x.call] = x.user;
  return changed(user, [&] {
    auto next = user.states.back();
    apply(x, next);
    user.states.push_back(std::move(next));
    user.unanswered.push_back(x);
  });
}

place_changes user_states::take(const presence_answered& x, time_point now) {
  auto found = calls_.find(x.call);
  if (found == calls_.end() || x.outcome == presence_outcome::unknown)
    return {};
  auto& user = users_[found->second];
  calls_.erase(found);
  auto& waiting = user.unanswered;
  auto call = std::ranges::find(waiting, x.call, &presence_called::call);
  // An answer to a later call has told already.
  if (call == waiting.end())
    return {};
  return changed(user, [&] {
    // What was called before has taken effect, answered or not.
    while (waiting.front().call != x.call) {
      user.former.push_back({std::move(user.states.front()), now});
      user.states.pop_front();
      waiting.pop_front();
    }
    auto is_rejected = x.outcome == presence_outcome::rejected;
    if (!is_rejected) {
      user.former.push_back({std::move(user.states.front()), now});
      user.states.pop_front();
    }
    waiting.pop_front();
    // Without the rejected call the later ones lead to other states.
    user.states.resize(1);
    for (auto& later : waiting) {
      user.states.push_back(user.states.back());
      apply(later, user.states.back());
    }
    while (user.former.size() > former_max)
      user.former.pop_front();
  });
}

bool user_states::agrees(const user_seen& x) const {
  auto found = users_.find(x.user);
  if (found == users_.end())
    return x.sessions.empty();
  std::map<session_number, instance_number> seen{x.sessions.begin(),
                                                 x.sessions.end()};
  auto& user = found->second;
  auto is_seen = [&](auto& state) {
    return state.sessions == seen;
  };
  return std::ranges::any_of(user.states, is_seen)
         || std::ranges::any_of(user.former, [&](auto& former) {
              return former.ended > x.asked_at && is_seen(former.was);
            });
}

user_states::bounds user_states::users_online() const {
  bounds result{0, 0};
  for (auto& [number, user] : users_) {
    auto is_online = [](auto& state) {
      return !state.sessions.empty();
    };
    result.first += std::ranges::all_of(user.states, is_online);
    result.second += std::ranges::any_of(user.states, is_online);
  }
  return result;
}

user_states::bounds user_states::sessions() const {
  bounds result{0, 0};
  for (auto& [number, user] : users_) {
    auto size = [](auto& state) {
      return state.sessions.size();
    };
    auto [least, most] = std::ranges::minmax_element(user.states, {}, size);
    result.first += size(*least);
    result.second += size(*most);
  }
  return result;
}

} // namespace fantail::chaos
