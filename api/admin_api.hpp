// SPDX-License-Identifier: MIT
#pragma once

#include "api/admin_view.hpp"
#include "runtime/http/http_message.hpp"

#include <vector>

namespace fantail {

/// The routes below /api/v1, which api/openapi.json describes: what operators
/// see of a node, and what they can do to it.
std::vector<http_route> admin_routes(admin_view view);

} // namespace fantail
