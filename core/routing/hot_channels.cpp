// SPDX-License-Identifier: MIT
#include "core/routing/hot_channels.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

void hot_channels::sketch::add(std::string_view channel, uint64_t cost) {
  auto i = entries_.find(channel);
  if (i == entries_.end()) {
    entry fresh;
    if (entries_.size() == channels_max) {
      auto least = std::ranges::min_element(entries_, [](auto& a, auto& b) {
        return a.second.cost < b.second.cost;
      });
      fresh.cost = fresh.error = least->second.cost;
      entries_.erase(least);
    }
    i = entries_.emplace(channel, fresh).first;
  }
  i->second.cost += cost;
  i->second.events += stride;
}

void hot_channels::tick(time_point now) {
  if (begin_ == time_point{})
    begin_ = last_begin_ = now;
  if (now - begin_ < period)
    return;
  last_ = std::exchange(current_, {});
  last_deliveries_ = std::exchange(deliveries_, 0);
  last_begin_ = std::exchange(begin_, now);
}

double hot_channels::seconds(time_point now) const {
  auto result = std::chrono::duration<double>(now - last_begin_).count();
  // Less would make much of little.
  return last_begin_ == time_point{} ? 1.0 : std::max(result, 1.0);
}

std::vector<hot_channels::heat> hot_channels::top(size_t max,
                                                  time_point now) const {
  std::unordered_map<std::string_view, heat> sums;
  auto time = seconds(now);
  for (auto* part : {&last_, &current_})
    for (auto& [channel, x] : part->entries()) {
      auto& sum = sums[channel];
      sum.channel = channel;
      sum.events_per_second += static_cast<double>(x.events) / time;
      sum.cost_per_second += static_cast<double>(x.cost - x.error) / time;
    }
  std::vector<heat> result;
  result.reserve(sums.size());
  for (auto& [channel, x] : sums)
    result.push_back(std::move(x));
  // The name makes the order of equals the same in every answer.
  std::ranges::sort(result, [](auto& a, auto& b) {
    return std::pair{b.cost_per_second, std::string_view{a.channel}}
           < std::pair{a.cost_per_second, std::string_view{b.channel}};
  });
  result.resize(std::min(max, result.size()));
  return result;
}

double hot_channels::cost_per_second(time_point now) const {
  return static_cast<double>(last_deliveries_ + deliveries_) / seconds(now);
}

} // namespace fantail
