// SPDX-License-Identifier: MIT
#pragma once

#include "messages/protocol.hpp"

#include <functional>

namespace fantail {

/// Starts the outbox actor of an instance. Handed to the registrar, so that it
/// does not have to know what an outbox needs.
using outbox_spawner = std::function<outbox_actor(instance_index)>;

} // namespace fantail
