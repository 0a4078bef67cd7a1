// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Sorted lists of rows in few bytes: the number of rows, then the distance
/// of each row to the one before, all as LEB128 variable-length integers. A
/// user with 1 % of a shard's channels needs one to two bytes per channel.
///
/// Source of the integers: DWARF Debugging Information Format 5, section 7.6.
namespace fantail::row_list {

/// Bytes `rows` take. REQUIRES: `rows` is sorted and without repeats.
size_t encoded_size(std::span<const row_id> rows) noexcept;

/// Writes `rows` to `out`, which has room for encoded_size(rows) bytes.
void encode(std::span<const row_id> rows, char* out) noexcept;

/// Appends the rows of a list that `encode` wrote to `out`.
void decode(const char* in, std::vector<row_id>& out);

/// Replaces `out` by the rows of a list of at most `bytes` bytes that nobody
/// vouches for; false if it is none, or not sorted or not without repeats.
bool read(const char* in, size_t bytes, std::vector<row_id>& out);
/// Whether a list that `encode` wrote has `row`; stops where it would be.
bool contains(const char* in, row_id row) noexcept;

/// The number of rows of a list.
uint32_t count(const char* in) noexcept;

} // namespace fantail::row_list
