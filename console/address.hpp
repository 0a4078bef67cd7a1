// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace fantail::console {

/// Where a node answers.
struct address {
  std::string host = "127.0.0.1";
  uint16_t port = 7480;

  /// As a user would write it: `http://127.0.0.1:7480`.
  std::string url() const;
  /// Whether only programs of this machine answer there.
  bool is_loopback() const;

  bool operator==(const address&) const = default;
};

/// Reads `http://host:port`; scheme, port and a slash at the end may be
/// missing. A string says what is wrong, for the user.
std::variant<address, std::string> parse_address(std::string_view url);

/// `text` as one segment of a path or one value of a query.
std::string percent_encode(std::string_view text);

} // namespace fantail::console
