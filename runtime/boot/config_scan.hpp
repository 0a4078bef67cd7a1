// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fantail {

/// Looks over a configuration file before CAF's parser does, for what that
/// parser accepts in silence or refuses without a reason: an unclosed brace
/// (what is inside is lost), a key or a braced section given twice (one of
/// them is lost), comments with #, dotted keys and Windows line ends. Returns
/// the first such thing with its line.
std::optional<std::string> scan_config(std::string_view text);

} // namespace fantail
