// SPDX-License-Identifier: MIT
#pragma once

#include "core/channel_list.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fantail {

/// What happened to one user's channel list, in order, packed into one block.
/// A change says of each channel it names whether the user is in it, so
/// changes may be repeated over a list that has them already. Not thread safe.
class list_changes {
public:
  /// The list is `names` and nothing else, whatever it was.
  void set(const channel_list& names);
  void join(const channel_list& names) { append(names, joined); }
  void leave(const channel_list& names) { append(names, left); }

  /// What happened after these.
  void append(const list_changes& later);

  /// The list follows from the changes alone.
  bool is_whole() const noexcept { return is_whole_; }
  bool empty() const noexcept { return bytes_.empty() && !is_whole_; }
  size_t byte_count() const noexcept { return bytes_.capacity(); }

  /// The list that `base` has become, sorted and without repeats. `base` does
  /// not matter if is_whole().
  channel_list applied_to(const channel_list& base) const;

  /// The state as bytes, for snapshots.
  std::string_view bytes() const noexcept { return bytes_; }
  /// Takes up what `bytes` and `is_whole` said. False, and nothing is taken,
  /// if no changes say that.
  bool restore(std::string_view bytes, bool is_whole);

private:
  static constexpr char joined = 'j';
  static constexpr char left = 'l';

  void append(const channel_list& names, char what);

  /// For each channel: what happened, the size of its name, its name.
  std::string bytes_;
  bool is_whole_ = false;
};

} // namespace fantail
