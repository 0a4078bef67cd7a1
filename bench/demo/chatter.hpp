// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fantail::demo {

/// `prefix` and the number with leading zeros: ("usr_", 7, 8) is usr_00000007.
std::string numbered(std::string_view prefix, uint32_t number, int digits);

/// A made-up text of exactly `bytes` bytes; the same for the same seed.
std::string made_up_text(uint64_t seed, size_t bytes);

/// A chat event's body as docs/PROTOCOL.md suggests it, with a made-up text.
std::string chat_body(std::string_view event_id, std::string_view channel,
                      std::string_view sender, size_t bytes);

} // namespace fantail::demo
