// SPDX-License-Identifier: MIT
#pragma once

#include "console/paint.hpp"

#include <string>
#include <vector>

namespace fantail::console {

/// A node of a tree as it is drawn: its name, what is said of it, and what is
/// below it.
struct branch {
  cell name;
  /// Stand below each other, in columns, whatever the depth.
  std::vector<cell> remarks;
  /// The command that opens it; empty if there is none.
  std::string target;
  std::vector<branch> children;
};

/// Draws `root` and everything below it with lines. The remarks form columns
/// with the titles given; the last one is cut off where the terminal ends.
void draw_tree(const branch& root, const std::vector<std::string>& titles,
               page& out, const look& how);

} // namespace fantail::console
