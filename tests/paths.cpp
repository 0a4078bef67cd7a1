// SPDX-License-Identifier: MIT
#include "tests/paths.hpp"

namespace fantail::test {

std::string source_dir() {
  return FANTAIL_SOURCE_DIR;
}

std::string binary() {
  return FANTAIL_BINARY;
}

} // namespace fantail::test
