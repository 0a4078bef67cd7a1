// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail::console {

/// A histogram as Prometheus writes it: how many values were at most `border`,
/// the borders rising, the last one infinite.
struct bucket_counts {
  std::vector<std::pair<double, double>> buckets;

  double count() const { return buckets.empty() ? 0 : buckets.back().second; }
};

/// The histograms called `name` on a page of metrics, by the value of their
/// label `label`. Lines that cannot be read are left out.
std::map<std::string, bucket_counts> read_histograms(std::string_view page,
                                                     std::string_view name,
                                                     std::string_view label);

/// What was counted between two pages.
bucket_counts between(const bucket_counts& before, const bucket_counts& after);

/// The border below which a share `q` of all values is: infinite if it is the
/// last bucket, nothing if nothing was counted.
std::optional<double> border_of(const bucket_counts& x, double q);

} // namespace fantail::console
