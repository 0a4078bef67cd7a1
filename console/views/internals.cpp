// SPDX-License-Identifier: MIT
#include "console/views/internals.hpp"

#include "console/fields.hpp"
#include "console/format.hpp"
#include "console/table.hpp"
#include "console/text.hpp"

#include <algorithm>

namespace fantail::console {

namespace {

std::string spaced(std::string_view key) {
  auto result = printable(key);
  std::replace(result.begin(), result.end(), '_', ' ');
  return result;
}

/// A value by what its name says of its unit.
std::string value_of(std::string_view key, const json::value& x) {
  if (x.is_null())
    return "-";
  if (auto* flag = x.if_bool())
    return *flag ? "yes" : "no";
  if (auto* words = x.if_string())
    return words->empty() ? "-" : printable(*words);
  auto is_bytes = key == "bytes" || key.ends_with("_bytes")
                  || key.ends_with("_bytes_max");
  if (auto figure = x.as_double()) {
    if (is_bytes)
      return show_bytes(*figure);
    if (key.ends_with("_ns"))
      return show_seconds(*figure / 1e9);
    if (auto* n = x.if_int())
      return show_count(*n);
    return std::to_string(*figure);
  }
  return printable(json::serialize(x));
}

std::vector<cell> parts_of(const json::object& x) {
  std::vector<cell> result;
  for (auto& [key, value] : x)
    result.push_back(
        cell{value_of(key, value) + " " + spaced(key),
             value.as_double().value_or(0) > 0 ? tone::plain : tone::quiet});
  return result;
}

/// What an instance was sent and has acknowledged, shard by shard.
void add_sequences(page& out, const json::array& rows_of, const look& how) {
  table rows{{{"SHARD", true},
              {"TOLD", true},
              {"ACKNOWLEDGED", true},
              {"BEHIND", true}}};
  for (auto& x : rows_of) {
    auto told = whole(x, "told");
    auto behind = told - whole(x, "acknowledged");
    rows.add({count_cell(x, "shard"), count_cell(x, "told"),
              count_cell(x, "acknowledged"), cell{show_count(behind)}});
  }
  if (rows.empty())
    return;
  out.add("");
  rows.draw(out, how);
}

} // namespace

void add_internals(page& out, const json::value& actor, const look& how) {
  if (auto why = text(actor, "internals_missing"); !why.empty()) {
    out.add("");
    out.add(paint("its state: " + why, tone::warning, how));
    return;
  }
  auto* known = member(actor, "internals").if_object();
  if (!known)
    return;
  out.add("");
  facts lines;
  const json::array* sequences = nullptr;
  for (auto& [key, value] : *known) {
    if (key == "kind")
      continue;
    if (auto* parts = value.if_object())
      lines.add(spaced(key), parts_of(*parts));
    else if (auto* rows = value.if_array())
      sequences = rows;
    else
      lines.add(spaced(key), cell{value_of(key, value)});
  }
  lines.draw(out, how);
  if (sequences)
    add_sequences(out, *sequences, how);
}

} // namespace fantail::console
