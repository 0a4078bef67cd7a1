// SPDX-License-Identifier: MIT
#pragma once

#include "console/session.hpp"

#include <string>
#include <variant>

/// The commands that ask a node several things.
namespace fantail::console {

/// Looks twice, `--window` apart.
std::variant<page, problem>
view_diagnosis(const session& node, const invocation& x, const look& how);
std::variant<std::string, problem> diagnosis_json(const session& node,
                                                  const invocation& x);

std::variant<page, problem> view_incidents(const session& node,
                                           const look& how);
std::variant<std::string, problem> incidents_json(const session& node);

} // namespace fantail::console
