// SPDX-License-Identifier: MIT
#pragma once

#include "core/snapshot/snapshot_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace fantail {

/// A snapshot that stands in a stream completely.
struct stored_snapshot {
  snapshot_source of;
  uint64_t id = 0;
  /// Sequences of header and trailer.
  uint64_t first = 0;
  uint64_t last = 0;
  snapshot_descriptor about;
};

/// Writes one snapshot to its stream, part by part: the header alone, because
/// everything behind it names its place; then the chunks, a bounded number of
/// bytes at a time; the trailer once all of them are stored. So a trailer
/// proves a snapshot that was complete. Not thread safe.
class snapshot_writer {
public:
  /// Each chunk is a payload behind snapshot_part_head bytes. `about` gets
  /// its image_bytes here.
  snapshot_writer(snapshot_source of, uint64_t id, snapshot_descriptor about,
                  std::vector<std::string> chunks);

  /// The next message to append, or nothing while others have to be stored
  /// first. With `bytes_under_way_max` at 0 parts go one by one.
  std::optional<std::string> next(size_t bytes_under_way_max);

  /// A message was stored; they are stored in the order of `next`.
  void stored(uint64_t sequence);

  bool is_complete() const noexcept { return result_.last != 0; }

  /// REQUIRES: is_complete().
  const stored_snapshot& result() const noexcept { return result_; }

  /// Bytes handed out and not stored yet.
  size_t bytes_under_way() const noexcept { return bytes_under_way_; }

  uint64_t id() const noexcept { return result_.id; }
  snapshot_source of() const noexcept { return result_.of; }

private:
  std::string make_part(snapshot_part::role what, std::string bytes);

  stored_snapshot result_;
  std::deque<std::string> chunks_;
  uint32_t next_index_ = 0;
  bool trailer_is_out_ = false;
  /// Sizes of the parts handed out and not stored.
  std::deque<size_t> under_way_;
  size_t bytes_under_way_ = 0;
};

} // namespace fantail
