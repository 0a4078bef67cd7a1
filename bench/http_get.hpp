// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace fantail::bench {

struct http_answer {
  int status = 0;
  std::string body;
};

/// Asks 127.0.0.1:`port` for `target` and waits for the whole answer: enough
/// HTTP to question a node. Returns nothing if nobody answers in time.
std::optional<http_answer> http_get(uint16_t port, const std::string& target,
                                    duration timeout);

/// Takes an answer apart; bodies end with the connection or are chunked.
std::optional<http_answer> parse_http_answer(std::string_view text);

/// A port of 127.0.0.1 nobody listens on at the moment.
uint16_t free_port();

} // namespace fantail::bench
