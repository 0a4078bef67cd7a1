// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace fantail {

/// What somebody who wants to change a node has to know: a text in a file that
/// only the node's user can read. Immutable, thread safe.
class admin_token {
public:
  /// Reads `path`. If it does not exist and `may_create`, it is made, with a
  /// random token and for its owner only. Returns what is wrong otherwise.
  static std::variant<admin_token, std::string> open(const std::string& path,
                                                     bool may_create);

  /// Whether `header`, a field `Authorization`, has the token. Takes the same
  /// time wherever it differs.
  bool is_in(std::string_view header) const;

  /// Others than the file's owner and group can read it.
  bool is_readable_by_others() const;

  const std::string& path() const noexcept { return path_; }

private:
  admin_token(std::string path, std::string text)
      : path_(std::move(path)), text_(std::move(text)) {}

  std::string path_;
  std::string text_;
};

} // namespace fantail
