// SPDX-License-Identifier: MIT
#pragma once

#include "core/snapshot/byte_reader.hpp"
#include "core/snapshot/byte_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace fantail {

/// An array that grows by pages: an element never moves, growing copies
/// nothing, and a lone large index costs one page and a pointer per page
/// before it. Elements start value-initialised. Not thread safe.
template <class T>
class paged_array {
public:
  static constexpr size_t page_elements = 1024;

  paged_array() = default;
  paged_array(paged_array&&) noexcept = default;
  paged_array& operator=(paged_array&&) noexcept = default;

  /// REQUIRES: `index` was made before.
  T& operator[](size_t index) noexcept {
    return pages_[index / page_elements][index % page_elements];
  }
  const T& operator[](size_t index) const noexcept {
    return pages_[index / page_elements][index % page_elements];
  }

  /// The element, made if it is missing.
  T& make(size_t index) {
    auto page = index / page_elements;
    if (page >= pages_.size())
      pages_.resize(page + 1);
    if (!pages_[page]) {
      pages_[page] = std::make_unique<T[]>(page_elements);
      ++pages_made_;
    }
    return (*this)[index];
  }

  /// Every index ever made is smaller.
  size_t index_end() const noexcept { return pages_.size() * page_elements; }

  /// The element, or nullptr if its page was never made.
  const T* find(size_t index) const noexcept {
    auto page = index / page_elements;
    return page < pages_.size() && pages_[page] ? &(*this)[index] : nullptr;
  }

  /// Calls `f(index, element)` for every element of every page made.
  template <class F>
  void for_each(F f) const {
    for (size_t page = 0; page < pages_.size(); ++page)
      for (size_t i = 0; pages_[page] && i < page_elements; ++i)
        f(page * page_elements + i, pages_[page][i]);
  }

  size_t byte_count() const noexcept {
    return pages_made_ * page_elements * sizeof(T)
           + pages_.capacity() * sizeof(pages_[0]);
  }

  /// Writes the elements as they are in memory.
  void save(byte_writer& out) const {
    static_assert(std::is_trivially_copyable_v<T>);
    out.put_count(pages_.size());
    for (auto& page : pages_) {
      out.put(static_cast<uint8_t>(page != nullptr));
      if (page)
        out.copy_from(page.get(), page_elements * sizeof(T));
    }
  }

  /// Reads them into this empty array. The elements have to be checked before
  /// they are used.
  void load(byte_reader& in) {
    pages_.resize(in.take_count(sizeof(uint8_t)));
    for (auto& page : pages_) {
      if (in.take<uint8_t>() == 0 || in.left() < page_elements * sizeof(T))
        continue;
      page = std::make_unique_for_overwrite<T[]>(page_elements);
      in.copy_to(page.get(), page_elements * sizeof(T));
      ++pages_made_;
    }
  }

private:
  std::vector<std::unique_ptr<T[]>> pages_;
  size_t pages_made_ = 0;
};

} // namespace fantail
