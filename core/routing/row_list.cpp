// SPDX-License-Identifier: MIT
#include "core/routing/row_list.hpp"

#include <bit>

namespace fantail::row_list {

namespace {

size_t bytes_of(uint32_t x) noexcept {
  return (static_cast<size_t>(std::bit_width(x | 1)) + 6) / 7;
}

void put(char*& out, uint32_t x) noexcept {
  for (; x >= 0x80; x >>= 7)
    *out++ = static_cast<char>(x | 0x80);
  *out++ = static_cast<char>(x);
}

uint32_t take(const char*& in) noexcept {
  uint32_t byte = static_cast<uint8_t>(*in++);
  auto result = byte & 0x7F;
  for (unsigned shift = 7; byte >= 0x80; shift += 7) {
    byte = static_cast<uint8_t>(*in++);
    result |= (byte & 0x7F) << shift;
  }
  return result;
}

} // namespace

size_t encoded_size(std::span<const row_id> rows) noexcept {
  auto result = bytes_of(static_cast<uint32_t>(rows.size()));
  uint32_t before = 0;
  for (auto row : rows) {
    result += bytes_of(row.value - before);
    before = row.value;
  }
  return result;
}

void encode(std::span<const row_id> rows, char* out) noexcept {
  put(out, static_cast<uint32_t>(rows.size()));
  uint32_t before = 0;
  for (auto row : rows) {
    put(out, row.value - before);
    before = row.value;
  }
}

void decode(const char* in, std::vector<row_id>& out) {
  auto left = take(in);
  auto at = out.size();
  out.resize(at + left);
  for (uint32_t row = 0; left > 0; --left) {
    row += take(in);
    out[at++] = row_id{row};
  }
}

bool read(const char* in, size_t bytes, std::vector<row_id>& out) {
  auto* end = in + bytes;
  auto take_checked = [&](uint32_t& x) {
    uint64_t wide = 0;
    for (unsigned shift = 0; in != end && shift < 35; shift += 7) {
      auto byte = static_cast<uint8_t>(*in++);
      wide |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) {
        x = static_cast<uint32_t>(wide);
        return wide <= UINT32_MAX;
      }
    }
    return false;
  };
  out.clear();
  uint32_t left = 0;
  if (!take_checked(left) || left > bytes)
    return false;
  out.resize(left);
  uint64_t row = 0;
  for (size_t i = 0; i < left; ++i) {
    uint32_t step = 0;
    if (!take_checked(step) || (i > 0 && step == 0))
      return false;
    row += step;
    if (row > UINT32_MAX)
      return false;
    out[i] = row_id{static_cast<uint32_t>(row)};
  }
  return true;
}

bool contains(const char* in, row_id row) noexcept {
  auto left = take(in);
  uint32_t at = 0;
  for (; left > 0 && at < row.value; --left) {
    at += take(in);
    if (at == row.value)
      return true;
  }
  // Row 0 is the one that no distance leads to.
  return left > 0 && row.value == 0 && take(in) == 0;
}

uint32_t count(const char* in) noexcept {
  return take(in);
}

} // namespace fantail::row_list
