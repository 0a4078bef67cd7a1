// SPDX-License-Identifier: MIT
#include "runtime/profile/profile_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace fantail {

profile_file::profile_file()
    : file_(::memfd_create("profile", MFD_CLOEXEC)),
      path_("/proc/self/fd/" + std::to_string(file_)) {
  // nop
}

profile_file::~profile_file() {
  if (is_open())
    ::close(file_);
}

std::string profile_file::content() const {
  std::ifstream in{path_, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

} // namespace fantail
