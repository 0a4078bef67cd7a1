// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fantail {

/// Gives every instance of a process its small number. One directory serves
/// all shards of a process, so a number means the same everywhere. Numbers
/// count from 0 and are never taken back: tables keep them in their columns.
/// Thread safe; lookups are rare (presence changes, registrations), so one
/// mutex does.
///
/// Invariant: name_of(intern(x)) == x, and size() <= limits::instances_max.
class instance_directory {
public:
  /// The number of `name`, which is entered if it is new. Nothing if `name`
  /// is not a token or the directory is full.
  std::optional<instance_index> intern(std::string_view name);

  /// The number of `name` if it has one.
  std::optional<instance_index> find(std::string_view name) const;

  /// The name behind a number, empty for a number never given. The view stays
  /// valid as long as the directory.
  std::string_view name_of(instance_index index) const;

  size_t size() const;

private:
  mutable std::mutex mutex_;
  /// A deque never moves its elements, so views into them stay valid.
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, instance_index> indices_;
};

} // namespace fantail
