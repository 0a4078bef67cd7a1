// SPDX-License-Identifier: MIT
#include "api/audit_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fantail {

/// For each line anew: changes are rare, and the file may be moved away.
int audit_log::open() const {
  return ::open(path_.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC,
                S_IRUSR | S_IWUSR);
}

bool audit_log::is_writable() {
  auto file = open();
  if (file >= 0)
    ::close(file);
  return file >= 0;
}

bool audit_log::add(const json::object& entry) {
  auto line = json::serialize(entry) + "\n";
  std::lock_guard guard{mutex_};
  auto file = open();
  if (file < 0)
    return false;
  auto written = ::write(file, line.data(), line.size());
  ::close(file);
  return written == static_cast<ssize_t>(line.size());
}

} // namespace fantail
