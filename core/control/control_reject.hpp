// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fantail {

/// Why a message of the control plane (registration, heartbeat, ack, range)
/// was refused; to_string gives the protocol's words.
enum class control_reject : uint8_t {
  none = 0,
  /// Not one JSON object, or its members contradict each other.
  malformed,
  /// A known member has the wrong type or is out of its range.
  wrong_type,
  missing_member,
  unknown_op,
  unknown_format,
  illegal_instance,
  too_many_instances,
  too_large,
  unknown_shard,
  unknown_instance,
  /// Ask again in 100 ms.
  busy,
  /// The stream does not reach so far back any more.
  lost,
  illegal_user,
  illegal_channel,
  /// The node keeps as many watches as it can.
  too_many_watches,
  /// Another life of the instance has taken its place.
  old_incarnation,
};

std::string_view to_string(control_reject x);
std::optional<control_reject> control_reject_from(std::string_view word);

} // namespace fantail
