// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
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

  /// `token` goes along with what changes something; may be empty.
  explicit admin_client(uint16_t port) : port_(port) {}

  void use_token(std::string token) { token_ = std::move(token); }

  std::optional<answer> get(const std::string& target, duration timeout) const;
  std::optional<answer> post(const std::string& target, duration timeout) const;

  /// A port of 127.0.0.1 nobody listens on at the moment.
  static uint16_t free_port();

private:
  std::optional<answer> ask(const std::string& method,
                            const std::string& target, duration timeout) const;

  uint16_t port_;
  std::string token_;
};

} // namespace fantail::chaos
