// SPDX-License-Identifier: MIT
#pragma once

#include "core/control/control_reject.hpp"
#include "core/control/member_reader.hpp"

#include <optional>
#include <string>
#include <utility>

namespace fantail {

/// A decoded message, or why there is none.
template <class T>
struct decoded {
  std::optional<T> value;
  control_reject reason = control_reject::none;
  /// One line for people, names the member.
  std::string detail;
  /// Where a refusal goes, as far as it could be read.
  std::string reply_to;

  explicit operator bool() const noexcept { return value.has_value(); }
  const T& operator*() const { return *value; }
  const T* operator->() const { return &*value; }
};

/// What a decoder returns once it has read all members.
template <class T>
decoded<T> finish(const member_reader& in, T value,
                  const std::string& reply_to = {}) {
  decoded<T> result;
  result.reason = in.reason();
  result.detail = in.detail();
  result.reply_to = reply_to;
  if (in.ok())
    result.value = std::move(value);
  return result;
}

} // namespace fantail
