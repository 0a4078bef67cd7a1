// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/http/http_message.hpp"
#include "runtime/profile/cpu_profiler.hpp"

#include <vector>

namespace fantail {

/// The routes that profile the node while it works: /debug/profile/cpu and
/// /debug/profile/heap. `cpu` outlives them.
std::vector<http_route> profile_routes(cpu_profiler& cpu);

} // namespace fantail
