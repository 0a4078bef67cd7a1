// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace fantail {

/// A file without a name that anybody else knows, for libraries that write
/// nowhere else. It takes memory, not disk, and vanishes with its owner.
class profile_file {
public:
  profile_file();
  ~profile_file();
  profile_file(const profile_file&) = delete;
  profile_file& operator=(const profile_file&) = delete;

  bool is_open() const noexcept { return file_ >= 0; }
  const std::string& path() const noexcept { return path_; }
  std::string content() const;

private:
  int file_;
  std::string path_;
};

} // namespace fantail
