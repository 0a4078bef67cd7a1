// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/http/http_server.hpp"

#include <string>
#include <system_error>

namespace fantail {

/// Why a server cannot listen, in words that name the key to change.
std::string listen_problem(const http_server_config& config,
                           std::error_code why);

} // namespace fantail
