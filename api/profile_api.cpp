// SPDX-License-Identifier: MIT
#include "api/profile_api.hpp"

#include "runtime/profile/heap_profiler.hpp"

#include <charconv>
#include <optional>

namespace fantail {

namespace {

constexpr unsigned seconds_default = 10;

/// A profile of minutes shows no more than one of this length, and nobody else
/// gets one meanwhile.
constexpr unsigned seconds_max = 60;

/// The value of `?seconds=`, or nothing if it is none.
std::optional<unsigned> seconds_of(const http_request& request) {
  auto i = request.query.find("seconds");
  if (i == request.query.end())
    return seconds_default;
  unsigned result = 0;
  auto* end = i->second.data() + i->second.size();
  auto parsed = std::from_chars(i->second.data(), end, result);
  if (parsed.ec != std::errc{} || parsed.ptr != end || result < 1
      || result > seconds_max)
    return std::nullopt;
  return result;
}

http_response to_response(profile x) {
  switch (x.what) {
  case profile::outcome::taken:
    return {200, "application/octet-stream", std::move(x.bytes)};
  case profile::outcome::busy:
    return problem_response(503, x.bytes, "try again when it is done");
  case profile::outcome::cancelled:
    return problem_response(503, x.bytes, "ask the node that follows");
  default:
    return problem_response(501, x.bytes, "install libjemalloc-dev and build");
  }
}

} // namespace

std::vector<http_route> profile_routes(cpu_profiler& cpu) {
  http_route on_cpu{
      "GET", "/debug/profile/cpu",
      "where the processor's time goes, for pprof; ?seconds=N "
      "from now on, 10 by default",
      [&cpu](const http_request& request) {
        auto seconds = seconds_of(request);
        if (!seconds)
          return problem_response(400,
                                  "seconds is no whole number from 1 to 60",
                                  "ask for /debug/profile/cpu?seconds=10");
        return to_response(cpu.take(std::chrono::seconds{*seconds}));
      }};
  on_cpu.is_long = true;
  http_route on_heap{"GET", "/debug/profile/heap",
                     "what lies on the heap and who asked for it, for jeprof",
                     [](const http_request&) {
                       return to_response(take_heap_profile());
                     }};
  on_heap.is_long = true;
  return {std::move(on_cpu), std::move(on_heap)};
}

} // namespace fantail
