// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/http/http_message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// Which route answers a request, and what is said if none does. Refusals have
/// the form of their path: below /api/ that of `error_response`, elsewhere that
/// of `problem_response`.

/// Whether `path` is one of `route`; if so, `argument` is what stands for the
/// placeholder.
bool fits(const http_route& route, std::string_view path,
          std::string& argument);

/// The route of `request`, whose `argument` is filled in; or nullptr, and which
/// methods the path takes, if any.
const http_route* find_route(const std::vector<http_route>& routes,
                             http_request& request, std::string& allowed);

/// What its handler answers; a fault becomes status 500.
http_response call(const http_route& route, const http_request& request);

http_response no_route(std::string_view path, const std::string& allowed);
http_response malformed_path(std::string_view target);
http_response too_many_wait(std::string_view path);
http_response too_long(std::string_view path);
http_response too_large_header();
http_response too_large_body();

/// All of a response to somebody who is one connection too many.
inline constexpr std::string_view turned_away
    = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
      "Retry-After: 1\r\nConnection: close\r\n\r\n"
      "{\"error\":\"too many connections\","
      "\"what_to_do\":\"close idle ones, or try again later\"}\n";

} // namespace fantail
