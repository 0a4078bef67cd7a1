// SPDX-License-Identifier: MIT
#pragma once

#include "core/instance_directory.hpp"
#include "core/json.hpp"
#include "messages/inspection.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// The channels of `?channel=a,b,c`, or nothing if there are none, more than
/// 100, or one is no token.
std::optional<std::vector<std::string>>
channels_of_query(std::string_view text);

/// For each channel that has a row: its members, and how many of them are
/// online on which instance. REQUIRES: `x.wait` returned true.
json::value channel_routes(const route_inspection& x,
                           const instance_directory& instances);

} // namespace fantail
