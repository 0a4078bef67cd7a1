// SPDX-License-Identifier: MIT
#pragma once

#include "core/limits.hpp"

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// Channel names packed into one block: a change with 10,000 channels costs
/// two allocations. Names are tokens, so a byte holds a length.
class channel_list {
public:
  class iterator {
  public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    iterator(const char* name, const uint8_t* size)
        : name_(name), size_(size) {}
    std::string_view operator*() const { return {name_, *size_}; }
    iterator& operator++() {
      name_ += *size_++;
      return *this;
    }
    iterator operator++(int) {
      auto before = *this;
      ++*this;
      return before;
    }
    bool operator==(const iterator& other) const {
      return size_ == other.size_;
    }

  private:
    const char* name_ = nullptr;
    const uint8_t* size_ = nullptr;
  };

  /// REQUIRES: `name` is a token (core/subject.hpp).
  void push_back(std::string_view name) {
    assert(name.size() <= limits::token_bytes_max);
    names_.append(name);
    sizes_.push_back(static_cast<uint8_t>(name.size()));
  }

  iterator begin() const { return {names_.data(), sizes_.data()}; }
  iterator end() const {
    return {names_.data() + names_.size(), sizes_.data() + sizes_.size()};
  }
  size_t size() const noexcept { return sizes_.size(); }
  bool empty() const noexcept { return sizes_.empty(); }
  void clear() {
    names_.clear();
    sizes_.clear();
  }

  bool operator==(const channel_list&) const = default;

private:
  std::string names_;
  std::vector<uint8_t> sizes_;
};

static_assert(limits::token_bytes_max <= UINT8_MAX);

} // namespace fantail
