// SPDX-License-Identifier: MIT
#pragma once

#include "console/palette.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fantail::console {

/// What the last word of a line could become.
struct completion {
  /// Where that word begins.
  size_t begin = 0;
  /// Whole words, quoted where needed, sorted.
  std::vector<std::string> candidates;
};

/// The names of a kind that the node has at the moment.
using name_source = std::function<std::vector<std::string>(word_kind)>;

/// Completes the end of `line`, the part in front of the cursor. Asks `names`
/// only if names are due. Pure but for that.
completion complete(std::string_view line, const name_source& names);

/// The longest beginning that all candidates share.
std::string common_beginning(const std::vector<std::string>& candidates);

} // namespace fantail::console
