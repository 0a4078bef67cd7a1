// SPDX-License-Identifier: MIT
#include "core/snapshot/checksum.hpp"

#include <zlib.h>

namespace fantail {

uint32_t crc32_of(std::string_view bytes, uint32_t before) {
  auto* data = reinterpret_cast<const Bytef*>(bytes.data());
  return static_cast<uint32_t>(::crc32_z(before, data, bytes.size()));
}

} // namespace fantail
