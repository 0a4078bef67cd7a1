// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace fantail {

/// A directory of its own for one test, removed with everything in it.
struct scratch_directory {
  std::string path;

  scratch_directory() {
    auto pattern
        = (std::filesystem::temp_directory_path() / "fantail-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      throw std::runtime_error("no scratch directory could be made");
    path = pattern;
  }

  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all,
                                 ignored);
    std::filesystem::remove_all(path, ignored);
  }

  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
};

} // namespace fantail
