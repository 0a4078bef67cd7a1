// SPDX-License-Identifier: MIT
#include "core/inspection/letter_box.hpp"

#include <algorithm>

namespace fantail {

std::string printable(std::string_view text, size_t bytes_max) {
  std::string result{text.substr(0, bytes_max)};
  for (auto& c : result)
    if (c < ' ' || c > '~')
      c = '.';
  if (text.size() > bytes_max)
    result += "...";
  return result;
}

void letter_box::add(std::string_view reason, std::string_view actor,
                     std::string_view message, std::string_view sample,
                     int64_t at_unix_ns) {
  letter x;
  x.at_unix_ns = at_unix_ns;
  x.reason = reason;
  x.actor = actor;
  x.message = printable(message, sample_bytes_max);
  x.sample = printable(sample, sample_bytes_max);
  std::lock_guard guard{mutex_};
  ++total_;
  if (by_reason_.size() < counts_max || by_reason_.contains(x.reason))
    ++by_reason_[x.reason];
  std::pair key{x.reason, x.actor};
  if (counts_.size() < counts_max || counts_.contains(key))
    x.count = ++counts_[key];
  if (letters_.size() == letters_max)
    letters_.pop_front();
  letters_.push_back(std::move(x));
}

std::vector<letter_box::letter> letter_box::newest(size_t max) const {
  std::lock_guard guard{mutex_};
  auto count = std::min(max, letters_.size());
  return {letters_.rbegin(),
          letters_.rbegin() + static_cast<std::ptrdiff_t>(count)};
}

uint64_t letter_box::total() const {
  std::lock_guard guard{mutex_};
  return total_;
}

std::map<std::string, uint64_t> letter_box::by_reason() const {
  std::lock_guard guard{mutex_};
  return by_reason_;
}

} // namespace fantail
