// SPDX-License-Identifier: MIT
#include "chaos/run/scratch_directory.hpp"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace fantail::chaos {

scratch_directory::scratch_directory() {
  std::error_code problem;
  auto parent = std::filesystem::temp_directory_path(problem);
  auto pattern = (parent / "fantail-chaos-XXXXXX").string();
  if (problem || !::mkdtemp(pattern.data()))
    throw std::runtime_error{"cannot create " + pattern + ": "
                             + std::strerror(errno)
                             + "; set TMPDIR to a directory of yours"};
  path_ = pattern;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

} // namespace fantail::chaos
