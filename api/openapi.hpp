// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace fantail {

/// The file api/openapi.json: the contract of /api/v1.
extern const std::string_view openapi_document;

} // namespace fantail
