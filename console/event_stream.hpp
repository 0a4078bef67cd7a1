// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fantail::console {

/// One event of a stream of server-sent events.
struct server_event {
  /// "message" if the server names none.
  std::string name = "message";
  std::string id;
  std::string data;
};

/// Reads `text/event-stream` as it comes, in whatever pieces.
class event_reader {
public:
  void feed(std::string_view bytes) { pending_ += bytes; }

  /// The next whole event, or nothing until there is more.
  std::optional<server_event> next();

private:
  /// The next whole line without its end.
  std::optional<std::string> next_line();
  void take_field(std::string_view line);

  std::string pending_;
  server_event event_;
  bool has_data_ = false;
};

} // namespace fantail::console
