// SPDX-License-Identifier: MIT
#pragma once

#include "messages/protocol.hpp"
#include "runtime/nats/control_link.hpp"

#include <string>

namespace fantail {

/// Names one life of a node: `n1-1763726400000`.
std::string new_life_of(const std::string& node);

/// Hands questions about presence that come over `link` to `desk`.
void pass_questions(nats::control_link& link, presence_desk_actor desk);

} // namespace fantail
