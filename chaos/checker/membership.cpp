// SPDX-License-Identifier: MIT
#include "chaos/checker/membership.hpp"

#include <algorithm>

namespace fantail::chaos {

namespace {

/// Older spans are joined, which forgives too much rather than too little.
constexpr size_t spans_max = 64;

} // namespace

void membership::apply(const place_changes& x, time_point now) {
  for (auto& where : x.may_begin) {
    auto& link = at(where);
    if (link.may++ > 0)
      continue;
    auto& spans = link.spans;
    spans.push_back({now, std::nullopt});
    if (spans.size() > spans_max) {
      spans[1].opened = spans[0].opened;
      spans.erase(spans.begin());
    }
  }
  for (auto& where : x.must_begin)
    ++at(where).must;
  for (auto& where : x.must_end)
    --at(where).must;
  for (auto& where : x.may_end) {
    auto& link = at(where);
    if (--link.may == 0)
      link.spans.back().closed = now;
  }
}

const std::vector<membership::entry>&
membership::of(channel_number channel) const {
  static const std::vector<entry> nothing;
  return channel < channels_.size() ? channels_[channel] : nothing;
}

link& membership::at(const place& x) {
  if (x.channel >= channels_.size())
    channels_.resize(x.channel + 1);
  auto& entries = channels_[x.channel];
  auto found = std::ranges::find(entries, x.instance, &entry::first);
  if (found == entries.end())
    return entries.emplace_back(x.instance, link{}).second;
  return found->second;
}

const link* membership::find(const place& x) const {
  auto& entries = of(x.channel);
  auto found = std::ranges::find(entries, x.instance, &entry::first);
  return found == entries.end() ? nullptr : &found->second;
}

} // namespace fantail::chaos
