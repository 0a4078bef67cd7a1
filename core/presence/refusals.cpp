// SPDX-License-Identifier: MIT
#include "core/presence/refusals.hpp"

namespace fantail {

void refusals::add(std::string user, std::string session, refusal x) {
  pending_[{std::move(user), std::move(session)}] = {std::move(x), {}};
}

void refusals::saw(std::string_view user, log_position newest) {
  auto i = pending_.lower_bound({std::string{user}, {}});
  for (; i != pending_.end() && i->first.first == user; ++i)
    i->second.what.version = newest;
}

std::optional<refusals::refusal> refusals::settled(std::string_view user,
                                                   std::string_view session) {
  auto i = pending_.find({std::string{user}, std::string{session}});
  if (i == pending_.end())
    return std::nullopt;
  auto result = std::move(i->second.what);
  pending_.erase(i);
  return result;
}

void refusals::take_due(time_point now, std::vector<due_expire>& out) {
  for (auto& [who, x] : pending_) {
    if (x.appended_at && now - *x.appended_at < repeat_after_)
      continue;
    x.appended_at = now;
    out.push_back({who.first, who.second, x.what.version});
  }
}

} // namespace fantail
