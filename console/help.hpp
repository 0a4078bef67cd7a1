// SPDX-License-Identifier: MIT
#pragma once

#include "console/paint.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fantail::console {

/// All commands with a line each, and what works at the prompt.
std::vector<std::string> help_on_all(const look& how);

/// One command with its options; the group of commands if `name` is their
/// first word. Nothing if there is none.
std::vector<std::string> help_on(std::string_view name, const look& how);

} // namespace fantail::console
