// SPDX-License-Identifier: MIT
#include "chaos/plan/schedule.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace fantail::chaos {

namespace {

/// The distributions of the standard library differ between libraries.
class dice {
public:
  explicit dice(uint64_t seed) : random_(seed) {}

  uint64_t word() { return random_(); }

  uint64_t below(uint64_t bound) { return bound == 0 ? 0 : random_() % bound; }

  bool chance(double share) {
    return below(1'000'000) < static_cast<uint64_t>(share * 1'000'000);
  }

  duration between(duration least, duration most) {
    auto range = static_cast<uint64_t>((most - least).count());
    return least + duration{static_cast<duration::rep>(below(range + 1))};
  }

private:
  std::mt19937_64 random_;
};

/// Chosen by weight among those that are on.
size_t choose(const plan& from, const std::vector<bool>& is_on, dice& random) {
  uint64_t sum = 0;
  for (size_t i = 0; i < from.faults.size(); ++i)
    sum += is_on[i] ? from.faults[i].weight : 0;
  auto drawn = random.below(sum);
  for (size_t i = 0; i < from.faults.size(); ++i) {
    if (!is_on[i])
      continue;
    if (drawn < from.faults[i].weight)
      return i;
    drawn -= from.faults[i].weight;
  }
  return 0;
}

std::vector<bool> draw_subset(size_t size, dice& random) {
  std::vector<bool> result(size);
  for (size_t i = 0; i < size; ++i)
    result[i] = random.chance(0.5);
  if (std::ranges::find(result, true) == result.end())
    result[random.below(size)] = true;
  return result;
}

} // namespace

std::vector<scheduled_fault> make_schedule(const plan& what, uint64_t seed,
                                           duration length) {
  std::vector<scheduled_fault> result;
  dice random{seed};
  auto last = length - what.interval;
  auto at = what.warm_up;
  auto is_first = true;
  for (auto begin = duration{}; begin < last; begin += what.phase) {
    auto end = std::min(begin + what.phase, last);
    auto is_quiet = random.chance(what.quiet) && !is_first;
    auto is_on = draw_subset(what.faults.size(), random);
    if (std::exchange(is_first, false))
      is_on.assign(is_on.size(), true);
    if (is_quiet) {
      at = std::max(at, end);
      continue;
    }
    at = std::max(at, begin);
    while (at < end) {
      auto fault = choose(what, is_on, random);
      auto& kind = what.faults[fault];
      auto lasts = random.between(kind.shortest, kind.longest);
      result.push_back(
          {at, fault, std::min(lasts, length - at), random.word()});
      // Faults may overlap in their aftermath, but one begins after another.
      at += lasts + what.interval / 2
            + random.between(duration{}, what.interval);
    }
  }
  return result;
}

} // namespace fantail::chaos
