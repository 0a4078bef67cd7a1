// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fantail {

/// Writes the state of a machine as bytes, cut into parts that fit a message
/// each. Numbers are little endian. A part never moves while it grows, so
/// tens of megabytes cost one copy. Not thread safe.
class byte_writer {
public:
  /// Every part begins with `headroom` bytes of zeros, for whoever sends it,
  /// and has at most `part_bytes` bytes. REQUIRES: headroom < part_bytes.
  /// `buffers` are used for parts as long as there are any, whatever is in
  /// them.
  explicit byte_writer(size_t part_bytes = SIZE_MAX, size_t headroom = 0,
                       std::vector<std::string> buffers = {})
      : part_bytes_(part_bytes), headroom_(headroom),
        buffers_(std::move(buffers)) {}

  /// Writes a number as it is in memory.
  template <class T>
  void put(T x) {
    static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
    copy_from(&x, sizeof x);
  }

  /// Writes how many elements follow.
  void put_count(size_t x) { put(static_cast<uint64_t>(x)); }

  void copy_from(const void* bytes, size_t size) {
    auto* from = static_cast<const char*>(bytes);
    while (size > 0) {
      if (parts_.empty() || parts_.back().size() == part_bytes_)
        begin_part();
      auto& part = parts_.back();
      auto now = std::min(size, part_bytes_ - part.size());
      part.append(from, now);
      from += now;
      size -= now;
    }
  }

  /// Writes a text of at most 255 bytes behind its length.
  void put_text(std::string_view x) {
    put(static_cast<uint8_t>(x.size()));
    copy_from(x.data(), x.size());
  }

  /// Bytes written, without headroom.
  size_t byte_count() const noexcept {
    size_t result = 0;
    for (auto& part : parts_)
      result += part.size() - headroom_;
    return result;
  }

  /// Hands the parts over and begins anew.
  std::vector<std::string> take() { return std::exchange(parts_, {}); }

private:
  static_assert(std::endian::native == std::endian::little,
                "snapshots are little endian");

  void begin_part() {
    auto& part = parts_.emplace_back();
    if (!buffers_.empty()) {
      part = std::move(buffers_.back());
      part.clear();
      buffers_.pop_back();
    }
    if (part_bytes_ != SIZE_MAX)
      part.reserve(part_bytes_);
    part.resize(headroom_);
  }

  size_t part_bytes_;
  size_t headroom_;
  std::vector<std::string> buffers_;
  std::vector<std::string> parts_;
};

} // namespace fantail
