// SPDX-License-Identifier: MIT
#include "console/table.hpp"

#include "console/text.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace fantail::console {

namespace {

constexpr size_t space_between = 2;
/// Of what may be cut off, at least so many columns are shown.
constexpr size_t shrinks_to_least = 4;

} // namespace

void table::add(std::vector<cell> row, std::string target) {
  row.resize(columns_.size());
  rows_.push_back({std::move(row), std::move(target)});
}

std::vector<table::slot> table::widths() const {
  std::vector<slot> result;
  for (size_t i = 0; i < columns_.size(); ++i) {
    auto width = width_of(columns_[i].title);
    auto has_content = columns_[i].leaves == 0;
    for (auto& x : rows_) {
      width = std::max(width, width_of(x.cells[i].text));
      has_content = has_content || !x.cells[i].text.empty();
    }
    if (has_content)
      result.push_back({i, width});
  }
  return result;
}

size_t table::total(const std::vector<slot>& slots) {
  size_t result = slots.empty() ? 0 : space_between * (slots.size() - 1);
  for (auto& x : slots)
    result += x.width;
  return result;
}

bool table::shrink(std::vector<slot>& slots, size_t width,
                   size_t least_of_all) const {
  slot* widest = nullptr;
  size_t least = 0;
  for (auto& x : slots) {
    auto own = columns_[x.index].shrinks_to;
    auto bound = least_of_all > 0 ? std::min(own, least_of_all) : own;
    if (own > 0 && x.width > bound && (!widest || x.width > widest->width)) {
      widest = &x;
      least = bound;
    }
  }
  if (!widest)
    return false;
  widest->width -= std::min(widest->width - least, total(slots) - width);
  return true;
}

bool table::leave_out_one(std::vector<slot>& slots) const {
  auto leaving
      = std::max_element(slots.begin(), slots.end(), [&](auto& a, auto& b) {
          return columns_[a.index].leaves < columns_[b.index].leaves;
        });
  if (leaving == slots.end() || columns_[leaving->index].leaves == 0)
    return false;
  slots.erase(leaving);
  // There may be more space now than what was cut off needs.
  auto full = widths();
  for (auto& x : slots)
    for (auto& y : full)
      if (x.index == y.index)
        x.width = y.width;
  return true;
}

/// First whatever may be cut off is, then columns leave, and if that is not
/// enough, what may be cut off is cut off further.
void table::make_fit(std::vector<slot>& slots, size_t width) const {
  while (total(slots) > width)
    if (!shrink(slots, width, 0) && !leave_out_one(slots)
        && !shrink(slots, width, shrinks_to_least))
      return;
}

void table::draw(page& out, const look& how) const {
  auto has_targets = std::any_of(rows_.begin(), rows_.end(),
                                 [](auto& x) { return !x.target.empty(); });
  auto numbers = how.has_numbers && has_targets;
  auto number_width
      = numbers ? std::to_string(out.targets.size() + rows_.size()).size() + 1
                : 0;
  auto slots = widths();
  if (how.width > 0)
    make_fit(slots, how.width > number_width ? how.width - number_width : 1);
  auto line_of = [&](auto&& piece_of, std::string line) {
    for (size_t i = 0; i < slots.size(); ++i) {
      auto& spec = columns_[slots[i].index];
      auto [text, is] = piece_of(slots[i].index);
      auto shown = shorten(text, slots[i].width);
      auto is_last = i + 1 == slots.size();
      auto gap = slots[i].width - std::min(width_of(shown), slots[i].width);
      if (spec.is_right)
        line += std::string(gap, ' ');
      line += paint(shown, is, how);
      if (!spec.is_right && !is_last)
        line += std::string(gap, ' ');
      if (!is_last)
        line += std::string(space_between, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  };
  out.add(line_of(
      [&](size_t i) {
        return std::pair{columns_[i].title, tone::quiet};
      },
      std::string(number_width, ' ')));
  for (auto& x : rows_) {
    std::string front(number_width, ' ');
    if (!x.target.empty() && how.has_numbers) {
      out.targets.push_back(x.target);
      auto number = std::to_string(out.targets.size());
      front = paint(pad_left(number, number_width - 1), tone::quiet, how) + " ";
    }
    out.add(line_of(
        [&](size_t i) {
          return std::pair{x.cells[i].text, x.cells[i].is};
        },
        std::move(front)));
  }
}

void facts::add(std::string name, cell value) {
  lines_.push_back({std::move(name), {std::move(value)}});
}

void facts::add(std::string name, std::vector<cell> values) {
  lines_.push_back({std::move(name), std::move(values)});
}

void facts::draw(page& out, const look& how) const {
  size_t width = 0;
  for (auto& x : lines_)
    width = std::max(width, width_of(x.name));
  auto indent = width + space_between;
  auto room = how.width > indent ? how.width - indent : 0;
  for (auto& x : lines_) {
    auto line = paint(pad_right(x.name, width), tone::quiet, how)
                + std::string(space_between, ' ');
    size_t used = 0;
    for (auto& piece : x.values) {
      auto columns = width_of(piece.text);
      if (used > 0 && room > 0 && used + space_between + columns > room) {
        out.add(std::move(line));
        line = std::string(indent, ' ');
        used = 0;
      } else if (used > 0) {
        line += std::string(space_between, ' ');
        used += space_between;
      }
      // A long text goes on below its beginning.
      auto rest = wrap(piece.text, room, 0);
      for (auto end = rest.find('\n'); end != rest.npos;
           end = rest.find('\n')) {
        out.add(line + paint(rest.substr(0, end), piece.is, how));
        line = std::string(indent, ' ');
        rest.erase(0, end + 1);
        used = 0;
      }
      line += paint(rest, piece.is, how);
      used += width_of(rest);
    }
    out.add(std::move(line));
  }
}

} // namespace fantail::console
