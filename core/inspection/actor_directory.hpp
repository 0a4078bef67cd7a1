// SPDX-License-Identifier: MIT
#pragma once

#include "core/inspection/actor_record.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// The actors of a node by their path. They enter as they are declared and are
/// never taken out. Thread safe.
class actor_directory {
public:
  using record_ptr = std::shared_ptr<actor_record>;

  /// REQUIRES: `record` has its id. Who comes later under the same id takes its
  /// place.
  void enter(record_ptr record) {
    std::lock_guard guard{mutex_};
    auto& slot = by_id_[record->id];
    if (slot)
      std::erase(in_order_, slot);
    slot = record;
    in_order_.push_back(std::move(record));
  }

  /// Null if there is none.
  record_ptr find(std::string_view id) const {
    std::lock_guard guard{mutex_};
    auto i = by_id_.find(id);
    return i == by_id_.end() ? nullptr : i->second;
  }

  /// In the order in which they were declared.
  std::vector<record_ptr> all() const {
    std::lock_guard guard{mutex_};
    return in_order_;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, record_ptr, std::less<>> by_id_;
  std::vector<record_ptr> in_order_;
};

} // namespace fantail
