// SPDX-License-Identifier: MIT
#pragma once

#include "core/channel_list.hpp"
#include "core/ids.hpp"
#include "core/membership/list_digest.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Records of the members store: one user's whole channel list as of a version.
///
/// | bytes | field |
/// |---|---|
/// | 4 | `"FNM1"` |
/// | 4 | CRC-32 of everything behind it |
/// | 8 | version |
/// | 8, 4 | digest: hash, number of names |
/// | 4 | bytes of the names before compression |
/// | 1, 1 | flags (1 = names are compressed), size of the user's name |
/// | rest | user, names |
///
/// Integers are little endian. Names are sorted and front coded: bytes shared
/// with the name before, bytes that follow, those bytes. (I. Witten, A. Moffat,
/// T. Bell, Managing Gigabytes, 1999, 4.1.) That takes 4 to 6 bytes for
/// `ch_00000042`; above limits::member_plain_bytes_max deflate halves it again.
namespace fantail::member_record {

/// What a record says besides its names.
struct header {
  /// A view into the record.
  std::string_view user;
  /// The list is whole up to and including this change of its user.
  log_position version;
  list_digest digest;
};

/// Nothing if the record would exceed limits::member_record_bytes_max.
/// REQUIRES: `user` is a token; `list` is sorted and without repeats.
std::optional<std::string> encode(std::string_view user, log_position version,
                                  const channel_list& list);

/// Nothing if `record` is none, or is damaged.
std::optional<header> read_header(std::string_view record);

/// As above, and fills `list`, sorted and without repeats.
std::optional<header> decode(std::string_view record, channel_list& list);

/// Writes the checksum of what else `record` says. For records made by hand.
/// REQUIRES: at least 8 bytes.
void seal(std::string& record);

} // namespace fantail::member_record
