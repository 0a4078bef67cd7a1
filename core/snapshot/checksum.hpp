// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace fantail {

/// CRC-32 of ISO 3309 (that of zlib and PNG), going on from `before`: finds
/// every burst of up to 32 flipped bits.
uint32_t crc32_of(std::string_view bytes, uint32_t before = 0);

} // namespace fantail
