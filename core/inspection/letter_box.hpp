// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail {

/// Messages and inputs nobody could take: the last 256 with the beginning of
/// each, and how many there were. Thread safe.
class letter_box {
public:
  static constexpr size_t letters_max = 256;
  static constexpr size_t sample_bytes_max = 200;
  /// Reasons and receivers come from our own code, but bounds are free.
  static constexpr size_t counts_max = 1024;

  struct letter {
    int64_t at_unix_ns = 0;
    std::string reason;
    /// Who could not take it: a path or a kind of actor.
    std::string actor;
    /// Type of the message, or subject.
    std::string message;
    /// Of that reason at that actor, so far.
    uint64_t count = 0;
    std::string sample;
  };

  /// `sample` is cut.
  void add(std::string_view reason, std::string_view actor,
           std::string_view message, std::string_view sample,
           int64_t at_unix_ns);

  /// Newest first.
  std::vector<letter> newest(size_t max) const;
  uint64_t total() const;
  std::map<std::string, uint64_t> by_reason() const;

private:
  mutable std::mutex mutex_;
  std::deque<letter> letters_;
  uint64_t total_ = 0;
  std::map<std::string, uint64_t> by_reason_;
  std::map<std::pair<std::string, std::string>, uint64_t> counts_;
};

/// As much of `text` as a JSON text may hold: foreign bytes become dots.
std::string printable(std::string_view text, size_t bytes_max);

} // namespace fantail
