// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/json.hpp"

#include <optional>
#include <string_view>

namespace fantail {

/// How an actor is made to end.
enum class kill_mode : uint8_t {
  /// Its handler throws, as a defect would.
  exception,
  /// It is told to end with an error. A supervisor stops its children first.
  exit,
  /// It ends without being asked.
  kill,
  /// A handler sleeps for a while.
  hang,
};

enum class control_result : uint8_t {
  done,
  /// It was so already.
  unchanged,
  /// There is no such actor.
  unknown,
  /// It is not running at the moment.
  away,
  /// Not with this kind of actor.
  refused,
};

/// The port through which operators reach actors by their path. Thread safe;
/// nothing here waits for an actor, but for `describe`.
class actor_control_port {
public:
  virtual ~actor_control_port() = default;

  /// Tells the actor; `hang_for` is for that mode.
  virtual control_result kill(std::string_view id, kill_mode mode,
                              duration hang_for)
      = 0;

  /// Messages to the actor are held from now on, in order, also those for the
  /// next one if it is restarted. Refused for supervisors: they could not
  /// restart anybody.
  virtual control_result suspend(std::string_view id) = 0;
  virtual control_result resume(std::string_view id) = 0;

  /// What the actor says of its own state: an object, empty if its kind says
  /// nothing. Nothing if it does not answer within `timeout`.
  virtual std::optional<json::object> describe(std::string_view id,
                                               duration timeout)
      = 0;
};

} // namespace fantail
