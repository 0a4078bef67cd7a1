// SPDX-License-Identifier: MIT
#pragma once

#include "bench/test_bed.hpp"

#include <cstdint>
#include <string>

namespace fantail::bench {

/// What a server takes of the machine.
struct server_sample {
  uint64_t resident_bytes = 0;
  /// All files of its state.
  uint64_t disk_bytes = 0;
};

server_sample sample_server(const test_bed& bed);

/// Bytes of all files below a directory; files may come and go meanwhile.
uint64_t directory_bytes(const std::string& path);

} // namespace fantail::bench
