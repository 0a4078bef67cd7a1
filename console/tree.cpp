// SPDX-License-Identifier: MIT
#include "console/tree.hpp"

#include "console/table.hpp"

#include <algorithm>
#include <utility>

namespace fantail::console {

namespace {

void put(table& to, const branch& x, const std::string& before,
         const std::string& below) {
  std::vector<cell> row{cell{before + x.name.text, x.name.is}};
  row.insert(row.end(), x.remarks.begin(), x.remarks.end());
  to.add(std::move(row), x.target);
  for (size_t i = 0; i < x.children.size(); ++i) {
    auto is_last = i + 1 == x.children.size();
    put(to, x.children[i], below + (is_last ? "└─ " : "├─ "),
        below + (is_last ? "   " : "│  "));
  }
}

} // namespace

void draw_tree(const branch& root, const std::vector<std::string>& titles,
               page& out, const look& how) {
  std::vector<column> columns{{"NAME", false, 0, 24}};
  for (size_t i = 0; i < titles.size(); ++i) {
    auto is_last = i + 1 == titles.size();
    columns.push_back({titles[i], false, static_cast<unsigned>(i + 1),
                       is_last ? size_t{16} : 0});
  }
  table rows{std::move(columns)};
  put(rows, root, {}, {});
  rows.draw(out, how);
}

} // namespace fantail::console
