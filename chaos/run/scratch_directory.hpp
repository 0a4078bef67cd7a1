// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace fantail::chaos {

/// A fresh directory below the system's one for temporary files; vanishes with
/// its owner. Throws std::runtime_error if it cannot be made.
class scratch_directory {
public:
  scratch_directory();
  ~scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;

  const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

} // namespace fantail::chaos
