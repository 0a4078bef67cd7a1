// SPDX-License-Identifier: MIT
#include "core/routing/channel_ranking.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace fantail {

namespace {

double measure(const ranked_channel& x, channel_order order) {
  switch (order) {
  case channel_order::members:
    return x.members;
  case channel_order::fanout:
    return x.fanout;
  case channel_order::cost:
    break;
  }
  return x.cost_per_second;
}

std::vector<row_id> first_rows(const routing_table& table, channel_order order,
                               size_t top) {
  auto& rows = table.rows();
  auto key = [&](row_id row) {
    auto size = order == channel_order::members ? rows.members(row)
                                                : rows.spread(row);
    return std::pair{size, ~row.value};
  };
  std::vector<row_id> result;
  for (row_id row; row.value < table.channels().row_bound(); ++row.value)
    if (table.channels().in_use(row))
      result.push_back(row);
  top = std::min(top, result.size());
  std::ranges::partial_sort(result,
                            result.begin() + static_cast<ptrdiff_t>(top),
                            std::greater<>{}, key);
  result.resize(top);
  return result;
}

} // namespace

bool comes_before(const ranked_channel& a, const ranked_channel& b,
                  channel_order order) {
  auto x = measure(a, order);
  auto y = measure(b, order);
  return std::tie(y, a.channel) < std::tie(x, b.channel);
}

std::vector<ranked_channel> rank_channels(const routing_table& table,
                                          const hot_channels& hot,
                                          channel_order order, size_t top,
                                          time_point now) {
  std::vector<ranked_channel> result;
  std::map<std::string, hot_channels::heat, std::less<>> heats;
  for (auto& x : hot.top(hot_channels::channels_max * 2, now)) {
    auto row = table.channels().find(x.channel);
    if (order == channel_order::cost && result.size() < top)
      result.push_back({x.channel,
                        row == no_row ? 0 : table.rows().members(row),
                        row == no_row ? uint16_t{0} : table.rows().spread(row),
                        x.events_per_second, x.cost_per_second});
    heats.emplace(x.channel, x);
  }
  if (order == channel_order::cost)
    return result;
  for (auto row : first_rows(table, order, top)) {
    ranked_channel x{std::string{table.channels().name_of(row)},
                     table.rows().members(row), table.rows().spread(row), 0, 0};
    if (auto i = heats.find(x.channel); i != heats.end()) {
      x.events_per_second = i->second.events_per_second;
      x.cost_per_second = i->second.cost_per_second;
    }
    result.push_back(std::move(x));
  }
  return result;
}

} // namespace fantail
