// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fantail {

/// Reads what a byte_writer wrote, from bytes nobody vouches for: what is read
/// beyond the end is zero, and a count never exceeds what the bytes left can
/// hold, so that nothing is allocated on the word of a foreigner. The first
/// problem stays; whoever loads a machine checks `ok` at the end and throws
/// the machine away if it is false. Does not own the bytes. Not thread safe.
class byte_reader {
public:
  explicit byte_reader(std::string_view whole)
      : byte_reader(std::vector<std::string_view>{whole}) {}

  /// Reads several pieces as if they were one.
  explicit byte_reader(std::vector<std::string_view> parts)
      : parts_(std::move(parts)) {
    for (auto part : parts_)
      left_ += part.size();
  }

  template <class T>
  T take() {
    static_assert(std::is_integral_v<T> && !std::is_same_v<T, bool>);
    T result{};
    copy_to(&result, sizeof result);
    return result;
  }

  /// How many elements follow, each of at least `element_bytes` (> 0) bytes
  /// and at most `most` of them.
  size_t take_count(size_t element_bytes, size_t most = SIZE_MAX) {
    auto result = take<uint64_t>();
    if (!expect(result <= left_ / element_bytes && result <= most,
                "a count is out of range"))
      return 0;
    return static_cast<size_t>(result);
  }

  std::string take_text() {
    std::string result(take<uint8_t>(), '\0');
    copy_to(result.data(), result.size());
    return result;
  }

  void copy_to(void* bytes, size_t size) {
    auto* to = static_cast<char*>(bytes);
    if (size > left_) {
      fail("the bytes end too early");
      left_ = 0;
    }
    if (!ok()) {
      if (size > 0)
        std::memset(to, 0, size);
      return;
    }
    left_ -= size;
    while (size > 0) {
      auto& part = parts_[next_];
      auto now = std::min(size, part.size());
      std::memcpy(to, part.data(), now);
      part.remove_prefix(now);
      next_ += part.empty() ? 1 : 0;
      to += now;
      size -= now;
    }
  }

  /// Bytes not read yet.
  size_t left() const noexcept { return left_; }

  bool ok() const noexcept { return problem_.empty(); }
  /// What is wrong, empty if nothing is.
  const std::string& problem() const noexcept { return problem_; }

  void fail(std::string_view what) {
    if (ok())
      problem_ = what;
  }

  /// Fails with `what` unless `holds`; returns whether all is well so far.
  bool expect(bool holds, std::string_view what) {
    if (!holds)
      fail(what);
    return ok();
  }

  /// Everything has to have been read.
  bool expect_end() { return expect(left_ == 0, "there are bytes too many"); }

private:
  std::vector<std::string_view> parts_;
  size_t next_ = 0;
  size_t left_ = 0;
  std::string problem_;
};

} // namespace fantail
