// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"

#include <functional>
#include <map>
#include <optional>
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
  /// What stands for the placeholder of the route's path, if it has one.
  std::string argument;
  std::string body;
  /// Header fields, empty if absent.
  std::string authorization;
  std::string last_event_id;
  std::string user_agent;
  /// Address and port of the client.
  std::string peer;

  /// True for `?name` and `?name=1`.
  bool has_flag(std::string_view name) const;
};

/// What comes behind the first bytes of a response, bit by bit: the next part,
/// empty if there is none yet, or nothing if that was all. Asked ten times per
/// second on the server's I/O thread, so it must not wait. Destroyed when the
/// client leaves.
using http_stream = std::function<std::optional<std::string>()>;

struct http_response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  /// If set, `body` is only the beginning, and the connection ends with it.
  http_stream stream = {};
};

/// One path of the API. A route for GET serves HEAD, too.
struct http_route {
  std::string method = "GET";
  /// Compared byte by byte, but for one placeholder: `{id}` stands for any text
  /// that is not empty, slashes included. The first route that fits is taken.
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

/// `{"error": {"code", "message"}}`, the form of every refusal below /api/; the
/// message says what is wrong and what to do.
http_response error_response(unsigned status, std::string_view code,
                             std::string_view message);

/// `{"error": ..., "what_to_do": ...}`, the form of every other refusal.
http_response problem_response(unsigned status, std::string_view error,
                               std::string_view what_to_do);

} // namespace fantail
