// SPDX-License-Identifier: MIT
#pragma once

#include "console/address.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace fantail::console {

/// What a node answered, whatever its status.
struct reply {
  unsigned status = 0;
  std::string content_type;
  std::string body;
};

/// Why there is no answer.
enum class trouble {
  /// Nobody listens there, or it cannot be found.
  unreachable,
  /// Somebody listens and does not answer in time.
  silent,
  /// What came back is no answer, or breaks off.
  broken,
  /// The user had enough.
  interrupted,
};

struct failure {
  trouble kind = trouble::broken;
  /// For the user, without the address.
  std::string why;
};

/// Talks HTTP to one node: one connection per request, every wait bounded, and
/// every wait ended by `is_interrupted` within 50 ms. Not thread safe.
class http_client {
public:
  struct options {
    /// Sent along as a bearer token; empty = none.
    std::string token;
    /// Bounds each of: finding and connecting, the whole exchange.
    std::chrono::milliseconds timeout{5000};
    /// Asked again and again during waits.
    std::function<bool()> is_interrupted = [] {
      return false;
    };
  };

  http_client(address at, options how)
      : at_(std::move(at)), how_(std::move(how)) {}

  const address& at() const noexcept { return at_; }

  std::variant<reply, failure> get(std::string_view target) {
    return send("GET", target, {});
  }

  /// A body is JSON. An answer has at most 64 MiB.
  std::variant<reply, failure>
  send(std::string_view method, std::string_view target, std::string_view body);

  /// Hands every piece of the body of an endless answer to `on_bytes` until
  /// that returns false, the node ends it (both: nothing is returned), or it
  /// breaks off. Calls `on_open` once the answer has begun. An answer other
  /// than 200 is returned as a whole.
  std::variant<std::monostate, reply, failure>
  follow(std::string_view method, std::string_view target,
         std::string_view body,
         const std::function<bool(std::string_view)>& on_bytes,
         const std::function<void()>& on_open);

private:
  class conversation;

  address at_;
  options how_;
};

} // namespace fantail::console
