// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/supervision/child_spec.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <functional>

/// Between supervisors and those who have them start something; and what makes
/// any actor fail on purpose.
namespace fantail {

/// A child, and how it is started: returns the new actor, or nothing if that
/// is not possible yet; throws if it failed. Called by the supervisor, in the
/// supervisor's thread.
struct supervised_child {
  child_spec spec;
  std::function<caf::actor()> start;
};

/// Take on another child.
struct start_child {
  supervised_child what;
};

/// Fail now, as a defect would make it. Understood by every actor.
struct fail_on_purpose {};

/// Do nothing for so long, as a handler would that hangs. Understood by every
/// actor.
struct hang_on_purpose {
  duration time;
};

} // namespace fantail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::start_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::fail_on_purpose)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(fantail::hang_on_purpose)
