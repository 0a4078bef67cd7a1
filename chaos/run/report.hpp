// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/checker/checker.hpp"
#include "chaos/history/record.hpp"
#include "core/json.hpp"

#include <string>
#include <vector>

namespace fantail::chaos {

/// What a run was and what came of it.
struct report {
  history_head head;
  findings found;
  verdict judged = verdict::invalid;
  /// Why nothing can be concluded, or empty.
  std::string invalid_because = {};
  /// What else the reader has to know, such as a cut history.
  std::vector<std::string> remarks = {};
};

std::string to_markdown(const report& x);
json::value to_json(const report& x);

} // namespace fantail::chaos
