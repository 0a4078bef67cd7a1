// SPDX-License-Identifier: MIT
#include "runtime/http/http_routes.hpp"

#include <exception>

namespace fantail {

namespace {

http_response refusal(std::string_view path, unsigned status,
                      std::string_view code, std::string_view error,
                      std::string_view what_to_do) {
  if (!path.starts_with("/api/"))
    return problem_response(status, error, what_to_do);
  std::string message{error};
  return error_response(status, code, message.append("; ").append(what_to_do));
}

} // namespace

bool fits(const http_route& route, std::string_view path,
          std::string& argument) {
  std::string_view pattern = route.path;
  auto begin = pattern.find('{');
  if (begin == std::string_view::npos)
    return pattern == path;
  auto head = pattern.substr(0, begin);
  auto tail = pattern.substr(pattern.find('}', begin) + 1);
  if (path.size() <= head.size() + tail.size() || !path.starts_with(head)
      || !path.ends_with(tail))
    return false;
  argument = path.substr(head.size(), path.size() - head.size() - tail.size());
  return true;
}

const http_route* find_route(const std::vector<http_route>& routes,
                             http_request& request, std::string& allowed) {
  for (auto& route : routes) {
    if (!fits(route, request.path, request.argument))
      continue;
    auto serves_head = route.method == "GET" && request.method == "HEAD";
    if (route.method == request.method || serves_head)
      return &route;
    allowed += allowed.empty() ? "" : ", ";
    allowed += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  return nullptr;
}

http_response call(const http_route& route, const http_request& request) {
  std::string why = "unknown exception";
  try {
    return route.handler(request);
  } catch (const std::exception& x) {
    why = x.what();
  } catch (...) {
    // The text above says it.
  }
  return refusal(request.path, 500, "internal", "the request failed: " + why,
                 "this is a fault in Fantail: please report it");
}

http_response no_route(std::string_view path, const std::string& allowed) {
  if (allowed.empty())
    return refusal(path, 404, "not_found", "there is nothing at this path",
                   "ask for /, which lists the paths");
  return refusal(path, 405, "method_not_allowed",
                 "this path does not take this method", "use " + allowed);
}

http_response malformed_path(std::string_view target) {
  return refusal(target, 400, "malformed_request", "the path is malformed",
                 "ask for /, which lists the paths");
}

http_response too_many_wait(std::string_view path) {
  return refusal(path, 503, "no_answer",
                 "too many requests wait for the node's actors",
                 "ask less often, or look at /metrics");
}

http_response too_long(std::string_view path) {
  return refusal(path, 503, "no_answer", "another long request is being served",
                 "try again when it is done");
}

http_response too_large_header() {
  return problem_response(431, "the header of the request is too large",
                          "send fewer and shorter header fields");
}

http_response too_large_body() {
  return problem_response(413, "the body of the request is too large",
                          "send less at once");
}

} // namespace fantail
