// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace fantail {

/// What a handler sees of a request.
struct http_request {
  std::string method;
  /// Decoded, without the query.
  std::string path;
  /// Decoded; of a repeated key the last value counts.
  std::map<std::string, std::string, std::less<>> query;
  std::string body;

  /// True for `?name` and `?name=1`.
  bool has_flag(std::string_view name) const;
};

struct http_response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
};

/// One path of the API. A route for GET serves HEAD, too.
struct http_route {
  std::string method = "GET";
  /// Compared byte by byte.
  std::string path;
  /// One line for people.
  std::string about;
  /// Called on a thread of the server, never twice at the same time for routes
  /// with the same `waits`. An exception becomes a response with status 500.
  std::function<http_response(const http_request&)> handler;
  /// The handler asks others and waits for them, for 2 s at most.
  bool waits = false;
  /// The handler takes many seconds. Of these routes one is served at a time;
  /// whoever comes meanwhile is turned away with status 503.
  bool is_long = false;
};

/// Splits a request target into `out.path` and `out.query`. False if it is not
/// an absolute path or has a malformed escape.
bool parse_target(std::string_view target, http_request& out);

/// Indented for people; programs do not mind.
http_response json_response(const json::value& x, unsigned status = 200);

/// `{"error": ..., "what_to_do": ...}`, the form of every refusal.
http_response problem_response(unsigned status, std::string_view error,
                               std::string_view what_to_do);

} // namespace fantail
