// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fantail {

/// How fast a number that only rises has risen lately, from samples taken about
/// once per second; the window is that of the last ten. Not thread safe.
class rate_window {
public:
  static constexpr size_t samples_max = 11;

  void add(int64_t now_ns, uint64_t value) {
    samples_[next_ % samples_max] = {now_ns, value};
    ++next_;
  }

  /// Per second; 0 before the second sample, or if the number began anew.
  double per_second() const {
    auto seconds = length_seconds();
    if (seconds <= 0 || newest().value < oldest().value)
      return 0;
    return static_cast<double>(newest().value - oldest().value) / seconds;
  }

  double length_seconds() const {
    if (next_ < 2)
      return 0;
    return static_cast<double>(newest().at_ns - oldest().at_ns) / 1e9;
  }

private:
  struct sample {
    int64_t at_ns = 0;
    uint64_t value = 0;
  };

  const sample& newest() const { return samples_[(next_ - 1) % samples_max]; }
  const sample& oldest() const {
    return samples_[next_ <= samples_max ? 0 : next_ % samples_max];
  }

  std::array<sample, samples_max> samples_;
  size_t next_ = 0;
};

} // namespace fantail
