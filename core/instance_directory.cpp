// SPDX-License-Identifier: MIT
#include "core/instance_directory.hpp"

#include "core/limits.hpp"
#include "core/subject.hpp"

namespace fantail {

std::optional<instance_index>
instance_directory::intern(std::string_view name) {
  if (!is_token(name))
    return std::nullopt;
  std::lock_guard guard{mutex_};
  if (auto i = indices_.find(name); i != indices_.end())
    return i->second;
  if (names_.size() >= limits::instances_max)
    return std::nullopt;
  auto index = instance_index{static_cast<uint16_t>(names_.size())};
  indices_.emplace(names_.emplace_back(name), index);
  return index;
}

std::optional<instance_index>
instance_directory::find(std::string_view name) const {
  std::lock_guard guard{mutex_};
  auto i = indices_.find(name);
  return i == indices_.end() ? std::nullopt : std::optional{i->second};
}

std::string_view instance_directory::name_of(instance_index index) const {
  std::lock_guard guard{mutex_};
  return index.value < names_.size() ? std::string_view{names_[index.value]}
                                     : std::string_view{};
}

size_t instance_directory::size() const {
  std::lock_guard guard{mutex_};
  return names_.size();
}

} // namespace fantail
