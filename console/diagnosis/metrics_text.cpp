// SPDX-License-Identifier: MIT
#include "console/diagnosis/metrics_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace fantail::console {

namespace {

std::optional<double> parse_figure(std::string_view x) {
  if (x == "+Inf")
    return std::numeric_limits<double>::infinity();
  double result = 0;
  auto parsed = std::from_chars(x.data(), x.data() + x.size(), result);
  if (parsed.ec != std::errc{} || parsed.ptr != x.data() + x.size())
    return std::nullopt;
  return result;
}

/// The value of `name="..."` among the labels; ours hold no quotes.
std::optional<std::string_view> label_of(std::string_view labels,
                                         std::string_view name) {
  auto key = std::string{name} + "=\"";
  for (auto at = labels.find(key); at != labels.npos;
       at = labels.find(key, at + 1)) {
    if (at > 0 && labels[at - 1] != ',' && labels[at - 1] != '{')
      continue;
    auto begin = at + key.size();
    auto end = labels.find('"', begin);
    if (end != labels.npos)
      return labels.substr(begin, end - begin);
  }
  return std::nullopt;
}

} // namespace

std::map<std::string, bucket_counts> read_histograms(std::string_view page,
                                                     std::string_view name,
                                                     std::string_view label) {
  std::map<std::string, bucket_counts> result;
  auto start = std::string{name} + "_bucket{";
  while (!page.empty()) {
    auto end = std::min(page.find('\n'), page.size());
    auto line = page.substr(0, end);
    page.remove_prefix(std::min(end + 1, page.size()));
    auto closed = line.rfind("} ");
    if (!line.starts_with(start) || closed == line.npos)
      continue;
    auto labels = line.substr(start.size() - 1, closed - start.size() + 2);
    auto border_text = label_of(labels, "le");
    auto border = border_text ? parse_figure(*border_text) : std::nullopt;
    auto count = parse_figure(line.substr(closed + 2));
    if (border && count)
      result[std::string{label_of(labels, label).value_or("")}]
          .buckets.emplace_back(*border, *count);
  }
  return result;
}

bucket_counts between(const bucket_counts& before, const bucket_counts& after) {
  auto result = after;
  // A node that was started in between counts from 0 again.
  if (before.buckets.size() != after.buckets.size()
      || before.count() > after.count())
    return result;
  for (size_t i = 0; i < result.buckets.size(); ++i)
    result.buckets[i].second -= before.buckets[i].second;
  return result;
}

std::optional<double> border_of(const bucket_counts& x, double q) {
  if (x.count() <= 0)
    return std::nullopt;
  for (auto& [border, count] : x.buckets)
    if (count >= q * x.count())
      return border;
  return std::numeric_limits<double>::infinity();
}

} // namespace fantail::console
