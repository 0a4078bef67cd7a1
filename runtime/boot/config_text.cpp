// SPDX-License-Identifier: MIT
// A configuration as text: the file that `load` reads, and a table to read.
#include "runtime/boot/config_keys.hpp"

namespace fantail {

namespace {

constexpr size_t columns = 80;

constexpr std::string_view preface =
    R"(; Configuration of a Fantail node; every key with its default. Remove
; what you do not change. The grammar is that of CAF 0.17: comments begin with
; a semicolon, texts have double quotes, words single ones, times a unit (ns,
; us, ms, s, min, h), sizes are numbers of bytes or texts such as "16MiB".
; `fantail config check` tells what is wrong with a file.
)";

/// Appends `text` as a comment, broken into lines of at most 80 columns.
void append_comment(std::string& out, std::string_view text,
                    std::string_view indent) {
  auto line = std::string{indent} + ";";
  while (!text.empty()) {
    auto space = text.find(' ');
    auto word = text.substr(0, space);
    if (line.size() + 1 + word.size() > columns) {
      out.append(line).append("\n");
      line = std::string{indent} + ";";
    }
    line.append(" ").append(word);
    text.remove_prefix(space == text.npos ? text.size() : space + 1);
  }
  out.append(line).append("\n");
}

/// The sections of "nats.tls.key": "nats" and "tls".
std::vector<std::string_view> sections_of(std::string_view name) {
  std::vector<std::string_view> result;
  for (auto dot = name.find('.'); dot != name.npos; dot = name.find('.')) {
    result.push_back(name.substr(0, dot));
    name.remove_prefix(dot + 1);
  }
  return result;
}

std::string indent_of(size_t depth) {
  return std::string(2 * depth, ' ');
}

/// Closes and opens braces until the sections `open` are those of a key.
void enter(std::string& out, std::vector<std::string_view>& open,
           const std::vector<std::string_view>& wanted) {
  size_t same = 0;
  while (same < open.size() && same < wanted.size()
         && open[same] == wanted[same])
    ++same;
  while (open.size() > same) {
    open.pop_back();
    out.append(indent_of(open.size())).append("}\n");
  }
  for (; same < wanted.size(); ++same) {
    if (open.empty())
      out += "\n";
    out.append(indent_of(same)).append(wanted[same]).append(" {\n");
    open.push_back(wanted[same]);
  }
}

} // namespace

std::string render(const node_config& config) {
  std::string result{preface};
  std::vector<std::string_view> open;
  for (auto& key : config_keys()) {
    enter(result, open, sections_of(key.name));
    auto indent = indent_of(open.size());
    append_comment(result, key.doc, indent);
    append_comment(result, "Allowed: " + allowed(key) + ".", indent);
    auto last = key.name.substr(key.name.rfind('.') + 1);
    result.append(indent).append(last).append("=");
    result.append(render_value(key, config)).append("\n");
  }
  enter(result, open, {});
  return result;
}

std::string render_table() {
  std::string result = "| key | default | allowed | meaning |\n"
                       "|---|---|---|---|\n";
  node_config defaults;
  for (auto& key : config_keys()) {
    result.append("| `").append(key.name).append("` | `");
    result.append(render_value(key, defaults)).append("` | ");
    result.append(allowed(key)).append(" | ").append(key.doc).append(" |\n");
  }
  return result;
}

} // namespace fantail
