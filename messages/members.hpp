// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <string>

/// What the members store answers to its presence shard.
namespace fantail {

struct members_found {
  member_batch what;
};

struct member_read {
  uint64_t sequence;
  member_read_result what;
  std::string record;
};

struct member_appended {
  uint64_t ticket;
  /// 0 if the outcome is unknown.
  uint64_t sequence;
};

} // namespace fantail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::members_found)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::member_read)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::member_appended)
