// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/membership/list_digest.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fantail {

/// A record of the members store (core/membership/member_record.hpp) without
/// its names.
struct member_stub {
  uint64_t sequence = 0;
  uint32_t bytes = 0;
  /// Empty if the record is damaged; then the rest means nothing.
  std::string user;
  log_position version;
  list_digest digest;
};

/// Some records of a members store, in the order in which they are there.
struct member_batch {
  std::vector<member_stub> records;
  /// Nothing follows.
  bool is_last = false;
  /// The server did not answer to the end.
  bool has_failed = false;
  /// The stream ends before the record that was asked for: it is not the one
  /// that record was in.
  bool is_other_stream = false;
};

/// What reading one record came to.
enum class member_read_result : uint8_t {
  found,
  /// The store has no such record.
  missing,
  /// The server did not answer: ask again.
  unanswered,
};

} // namespace fantail
