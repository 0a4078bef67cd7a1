// SPDX-License-Identifier: MIT
#include "core/routing/stream_times.hpp"

#include <algorithm>

namespace fantail {

namespace {

constexpr int64_t spacing_ns = 1'000'000'000;

} // namespace

void stream_times::note(position at, int64_t stored_at_ns) {
  if (!entries_.empty()
      && (at <= entries_.back().at
          || stored_at_ns < entries_.back().stored_at_ns + spacing_ns))
    return;
  entries_.push_back({at, stored_at_ns});
  if (entries_.size() > entries_max_)
    entries_.pop_front();
}

int64_t stream_times::time_behind(position at) const noexcept {
  auto later = std::ranges::upper_bound(entries_, position{at.value + 1}, {},
                                        &entry::at);
  return later == entries_.begin() ? INT64_MIN : std::prev(later)->stored_at_ns;
}

} // namespace fantail
