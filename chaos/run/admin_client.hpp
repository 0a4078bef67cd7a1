// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fantail::chaos {

/// Talks to the admin API of a node on this machine, over a connection per
/// question.
class admin_client {
public:
  struct answer {
    int status = 0;
    std::string body;
  };

  explicit admin_client(uint16_t port) : port_(port) {}

  /// Goes along with what changes something; may be empty.
  void use_token(std::string token) { token_ = std::move(token); }

  std::optional<answer> get(const std::string& target, duration timeout) const;
  std::optional<answer> post(const std::string& target, duration timeout) const;

  /// As a part of a path: everything else but letters, digits and -._~ is
  /// encoded by its bytes.
  static std::string encoded(std::string_view text);

  /// A port of 127.0.0.1 nobody listens on at the moment.
  static uint16_t free_port();

private:
  std::optional<answer> ask(const std::string& method,
                            const std::string& target, duration timeout) const;

  uint16_t port_;
  std::string token_;
};

} // namespace fantail::chaos
