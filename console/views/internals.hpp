// SPDX-License-Identifier: MIT
#pragma once

#include "console/paint.hpp"
#include "core/json.hpp"

namespace fantail::console {

/// What an actor knows of its own state. Members nobody here knows are shown
/// as well, under their own names, so that an older console tells what a newer
/// node says.
void add_internals(page& out, const json::value& actor, const look& how);

} // namespace fantail::console
