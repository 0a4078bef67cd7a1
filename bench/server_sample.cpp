// SPDX-License-Identifier: MIT
#include "bench/server_sample.hpp"

#include "bench/machine_facts.hpp"

#include <filesystem>

namespace fantail::bench {

namespace fs = std::filesystem;

uint64_t directory_bytes(const std::string& path) {
  uint64_t result = 0;
  std::error_code problem;
  auto i = fs::recursive_directory_iterator{
      path, fs::directory_options::skip_permission_denied, problem};
  for (; !problem && i != fs::recursive_directory_iterator{};
       i.increment(problem)) {
    std::error_code gone;
    if (auto size = i->is_regular_file(gone) ? i->file_size(gone) : 0; !gone)
      result += size;
  }
  return result;
}

server_sample sample_server(const test_bed& bed) {
  return {usage_of(bed.server_pid()).resident_bytes,
          directory_bytes(bed.directory() + "/server")};
}

} // namespace fantail::bench
