// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/chaos.hpp"
#include "chaos/plan/plan.hpp"
#include "chaos/run/report.hpp"

#include <string>
#include <variant>

namespace fantail::chaos {

struct run_options {
  const chaos_options& rest;
  plan what;
  duration length;
};

/// Does a run from the start of the server to the verdict. Returns why it
/// could not be done otherwise.
std::variant<report, std::string> run(const run_options& options);

} // namespace fantail::chaos
