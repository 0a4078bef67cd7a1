// SPDX-License-Identifier: MIT
#pragma once

#include "api/admin_view.hpp"
#include "runtime/http/http_message.hpp"

#include <memory>
#include <vector>

namespace fantail {

/// The routes that change a node: kill, suspend and resume of an actor. Each
/// needs the token, can be tried with `dry_run`, and leaves a line in the audit
/// log, refused or not.
std::vector<http_route> action_routes(std::shared_ptr<const admin_view> view);

} // namespace fantail
