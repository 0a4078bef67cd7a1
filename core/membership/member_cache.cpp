// SPDX-License-Identifier: MIT
#include "core/membership/member_cache.hpp"

#include <utility>

namespace fantail {

void member_cache::add(user_handle user, uint32_t memberships) {
  if (user.value >= nodes_.size())
    nodes_.resize(user.value + size_t{1});
  auto& x = nodes_[user.value];
  stats_.memberships += memberships;
  stats_.memberships -= std::exchange(x.memberships, memberships);
  if (x.is_linked)
    return;
  x.is_linked = true;
  x.named = {};
  x.next = none;
  x.before = std::exchange(last_, user.value);
  (x.before == none ? first_ : nodes_[x.before].next) = user.value;
  ++stats_.users;
}

bool member_cache::remove(user_handle user) {
  if (!contains(user))
    return false;
  auto& x = nodes_[user.value];
  (x.before == none ? first_ : nodes_[x.before].next) = x.next;
  (x.next == none ? last_ : nodes_[x.next].before) = x.before;
  stats_.memberships -= x.memberships;
  --stats_.users;
  x = node{};
  return true;
}

void member_cache::list_excess(time_point now, duration again, size_t max,
                               std::vector<user_handle>& out) {
  auto left = stats_.memberships;
  size_t seen = 0;
  for (auto x = first_;
       x != none && left > stats_.memberships_max && seen < max; ++seen) {
    auto& node = nodes_[x];
    left -= node.memberships;
    if (node.named == time_point{} || now - node.named >= again) {
      node.named = now;
      out.push_back(user_handle{x});
    }
    x = node.next;
  }
}

std::optional<std::string> member_cache::check_invariants() const {
  size_t users = 0;
  uint64_t memberships = 0;
  auto before = none;
  for (auto x = first_; x != none; x = nodes_[x].next) {
    if (!nodes_[x].is_linked || nodes_[x].before != before)
      return "the list's links disagree";
    before = x;
    ++users;
    memberships += nodes_[x].memberships;
    if (users > nodes_.size())
      return "the list runs in a circle";
  }
  if (before != last_ || users != stats_.users)
    return "the list has another length";
  if (memberships != stats_.memberships)
    return "the memberships do not add up";
  for (auto& x : nodes_)
    users -= x.is_linked ? 1 : 0;
  if (users != 0)
    return "a user is marked and not in the list";
  return std::nullopt;
}

} // namespace fantail
