// SPDX-License-Identifier: MIT
#include "core/presence/name_arena.hpp"

#include <cassert>
#include <cstring>

namespace fantail {

name_arena::place name_arena::add(std::string_view name) {
  assert(!name.empty() && name.size() <= UINT8_MAX);
  auto result = take(units_of(name.size()));
  auto* bytes = bytes_at(result);
  *bytes = static_cast<char>(name.size());
  std::memcpy(bytes + 1, name.data(), name.size());
  return result;
}

std::string_view name_arena::at(place p) const noexcept {
  auto* bytes = bytes_at(p);
  return {bytes + 1, static_cast<uint8_t>(*bytes)};
}

void name_arena::remove(place p) {
  auto& head = free_[units_of(at(p).size())];
  std::memcpy(bytes_at(p), &head, sizeof head);
  head = p + 1;
}

size_t name_arena::byte_count() const noexcept {
  return sizeof *this + chunks_.capacity() * sizeof chunks_[0]
         + chunks_.size() * chunk_units * unit_bytes;
}

name_arena::place name_arena::take(size_t units) {
  if (auto& head = free_[units]; head != 0) {
    auto result = head - 1;
    std::memcpy(&head, bytes_at(result), sizeof head);
    return result;
  }
  // A name never straddles two chunks; what is left of one is not worth a
  // free list.
  if (used_ + units > chunk_units) {
    chunks_.push_back(
        std::make_unique_for_overwrite<char[]>(chunk_units * unit_bytes));
    used_ = 0;
  }
  auto result = (chunks_.size() - 1) * chunk_units + used_;
  used_ += units;
  return static_cast<place>(result);
}

} // namespace fantail
