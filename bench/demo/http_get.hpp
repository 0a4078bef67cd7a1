// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <optional>
#include <string>

namespace fantail::demo {

/// Body of `GET url`, an `http://address:port/path` with a numeric address or
/// `localhost`. Nothing if there is no answer with status 200 within `timeout`,
/// or one of more than 1 MiB. Waits in the calling thread.
std::optional<std::string> http_get(const std::string& url, duration timeout);

} // namespace fantail::demo
