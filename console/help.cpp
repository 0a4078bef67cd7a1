// SPDX-License-Identifier: MIT
#include "console/help.hpp"

#include "console/palette.hpp"
#include "console/text.hpp"

#include <algorithm>

namespace fantail::console {

namespace {

/// Name and arguments, without options.
std::string short_usage(const command_spec& x) {
  std::string result{x.name};
  for (auto& a : x.arguments)
    result += std::string{a.is_optional ? " [" : " "} + std::string{a.name}
              + (a.is_optional ? "]" : "");
  return result;
}

void add_rows(std::vector<std::string>& out,
              const std::vector<std::pair<std::string, std::string>>& rows,
              const look& how) {
  size_t width = 0;
  for (auto& [left, right] : rows)
    width = std::max(width, width_of(left));
  auto indent = 2 + width + 2;
  auto room = how.width > indent + 20 ? how.width - indent : 0;
  for (auto& [left, right] : rows) {
    auto wrapped = wrap(right, room, 0);
    auto front = "  " + paint(pad_right(left, width), tone::name, how) + "  ";
    for (;;) {
      auto end = std::min(wrapped.find('\n'), wrapped.size());
      out.push_back(front + wrapped.substr(0, end));
      if (end == wrapped.size())
        break;
      wrapped.erase(0, end + 1);
      front = std::string(indent, ' ');
    }
  }
}

void add_group(std::vector<std::string>& out, command_kind kind,
               const std::string& title, const look& how) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (auto& x : palette())
    if (x.kind == kind)
      rows.emplace_back(short_usage(x), x.about);
  out.push_back(heading(title, "", how));
  add_rows(out, rows, how);
  out.emplace_back();
}

} // namespace

std::vector<std::string> help_on_all(const look& how) {
  std::vector<std::string> out;
  add_group(out, command_kind::page, "To see", how);
  add_group(out, command_kind::stream, "To follow", how);
  add_group(out, command_kind::change, "To change (asks first)", how);
  add_group(out, command_kind::prompt, "At this prompt", how);
  add_rows(out,
           {{"NUMBER", "Opens the row with that number"},
            {"Tab", "Completes commands, options and names"},
            {"Up, Ctrl-R", "Earlier lines, and a search in them"}},
           how);
  out.push_back(
      paint("help COMMAND explains one, with its options.", tone::quiet, how));
  return out;
}

std::vector<std::string> help_on(std::string_view name, const look& how) {
  std::vector<std::string> out;
  auto group = std::string{name} + " ";
  for (auto& x : palette()) {
    if (x.name != name && !x.name.starts_with(group))
      continue;
    out.push_back(heading(usage_of(x), "", how));
    out.push_back(std::string{x.about});
    std::vector<std::pair<std::string, std::string>> rows;
    for (auto& o : x.options) {
      std::string choices;
      for (auto c : o.choices)
        choices += (choices.empty() ? ": " : ", ") + std::string{c};
      rows.emplace_back("--" + std::string{o.name}
                            + (o.value.empty() ? "" : "=")
                            + std::string{o.value},
                        std::string{o.about} + choices);
    }
    add_rows(out, rows, how);
    std::string_view more = x.more;
    while (!more.empty()) {
      auto end = std::min(more.find('\n'), more.size());
      out.push_back(std::string{more.substr(0, end)});
      more.remove_prefix(std::min(end + 1, more.size()));
    }
  }
  return out;
}

} // namespace fantail::console
