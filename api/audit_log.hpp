// SPDX-License-Identifier: MIT
#pragma once

#include "core/json.hpp"

#include <mutex>
#include <string>

namespace fantail {

/// Who changed what: one JSON object per line, appended to a file that only its
/// owner can read. A line is handed to the kernel before the change is
/// answered; it survives the process, not a power failure. Thread safe.
class audit_log {
public:
  explicit audit_log(std::string path) : path_(std::move(path)) {}

  /// Whether a line can be added, as far as that can be told.
  bool is_writable();
  /// False if it could not be written.
  bool add(const json::object& entry);

  const std::string& path() const noexcept { return path_; }

private:
  int open() const;

  std::string path_;
  std::mutex mutex_;
};

} // namespace fantail
