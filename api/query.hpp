// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"
#include "runtime/http/http_message.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace fantail {

/// Reads the parameters of a request one after the other. The first that is
/// wrong is kept, and the handler answers with `refusal`; values read after
/// that are defaults.
class query {
public:
  explicit query(const http_request& request) : request_(request) {}

  /// A whole number.
  uint64_t number(std::string_view name, uint64_t fallback, uint64_t min,
                  uint64_t max);
  /// `true` or `1`, `false` or `0`.
  bool flag(std::string_view name);
  /// One of `words`; `fallback` if it is absent.
  std::string word(std::string_view name, std::string_view fallback,
                   std::initializer_list<std::string_view> words);
  /// Any text; empty if it is absent.
  std::string text(std::string_view name) const;

  /// Status 400, if something was wrong.
  const std::optional<http_response>& refusal() const { return refusal_; }

private:
  void refuse(std::string message);

  const http_request& request_;
  std::optional<http_response> refusal_;
};

/// Status 503, for whoever does not answer in time.
http_response no_answer_of(std::string_view who);

} // namespace fantail
