// SPDX-License-Identifier: MIT
#include "console/event_stream.hpp"

#include <algorithm>
#include <utility>

namespace fantail::console {

std::optional<std::string> event_reader::next_line() {
  auto end = pending_.find('\n');
  if (end == pending_.npos)
    return std::nullopt;
  auto line = pending_.substr(0, end);
  pending_.erase(0, end + 1);
  if (line.ends_with('\r'))
    line.pop_back();
  return line;
}

void event_reader::take_field(std::string_view line) {
  auto colon = std::min(line.find(':'), line.size());
  auto name = line.substr(0, colon);
  auto value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' '))
    value.remove_prefix(1);
  if (name == "event")
    event_.name = std::string{value};
  else if (name == "id")
    event_.id = std::string{value};
  else if (name == "data") {
    if (has_data_)
      event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
  // Others, comments among them, mean nothing to us.
}

std::optional<server_event> event_reader::next() {
  while (auto line = next_line()) {
    if (!line->empty()) {
      take_field(*line);
      continue;
    }
    auto event = std::exchange(event_, {});
    if (std::exchange(has_data_, false))
      return event;
  }
  return std::nullopt;
}

} // namespace fantail::console
