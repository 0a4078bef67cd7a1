// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace fantail {

/// Names packed into chunks, each behind a byte with its length and rounded
/// up to four bytes; removed ones are reused for names of that size. Nothing
/// is ever moved, so memory grows without pauses, and a name's view stays
/// valid until the name is removed. Not thread safe.
///
/// Invariant: a place is either one name's or in one free list.
class name_arena {
public:
  /// Where a name is.
  using place = uint32_t;

  /// REQUIRES: 1 to 255 bytes, and the arena below 16 GB.
  place add(std::string_view name);

  std::string_view at(place p) const noexcept;

  /// REQUIRES: `p` came from add and was not removed since.
  void remove(place p);

  size_t byte_count() const noexcept;

private:
  /// Places count these, so 32 bits reach far.
  static constexpr size_t unit_bytes = 4;
  static constexpr size_t chunk_units = 16 * 1024;
  static constexpr size_t units_max
      = (1 + UINT8_MAX + unit_bytes - 1) / unit_bytes;

  static constexpr size_t units_of(size_t name_size) {
    return (1 + name_size + unit_bytes - 1) / unit_bytes;
  }

  char* bytes_at(place p) const noexcept {
    return chunks_[p / chunk_units].get() + p % chunk_units * unit_bytes;
  }

  place take(size_t units);

  std::vector<std::unique_ptr<char[]>> chunks_;
  /// Units used of the newest chunk.
  size_t used_ = chunk_units;
  /// A free place holds the next free one of its size. Stored + 1, so that an
  /// array of zeros is an array of empty lists.
  std::array<place, units_max + 1> free_{};
};

} // namespace fantail
