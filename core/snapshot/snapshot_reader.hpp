// SPDX-License-Identifier: MIT
#pragma once

#include "core/snapshot/byte_reader.hpp"
#include "core/snapshot/snapshot_writer.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

/// Looks for the complete snapshots of a stream from its end backwards. A
/// trailer and every part name where their snapshot begins, so a half-written
/// one is skipped in one step; a message that is damaged is stepped over.
///
///     while (auto at = search.next()) search.take(<message at *at>);
///
/// Not thread safe.
class snapshot_search {
public:
  /// The stream holds messages in [first, last]; finds `most` snapshots.
  snapshot_search(snapshot_source of, uint64_t first, uint64_t last,
                  size_t most);

  /// The message to look at next; nothing if the search is over.
  std::optional<uint64_t> next() const;

  /// The message at `next`, or nothing if it is not there.
  void take(std::optional<std::string_view> message);

  /// Newest first.
  const std::vector<stored_snapshot>& found() const noexcept { return found_; }

  /// What was wrong on the way, for people: half-written and damaged ones.
  const std::vector<std::string>& problems() const noexcept {
    return problems_;
  }

private:
  void add(const snapshot_part& trailer);

  snapshot_source of_;
  uint64_t first_;
  uint64_t at_;
  size_t most_;
  std::vector<stored_snapshot> found_;
  std::vector<std::string> problems_;
};

/// Puts the messages of one snapshot together, which may come in any order,
/// and checks that none is missing. Not thread safe.
class snapshot_assembly {
public:
  explicit snapshot_assembly(stored_snapshot what) : what_(std::move(what)) {}

  /// The message at `sequence`, one of [first, last]; nothing if it is not
  /// there.
  void take(uint64_t sequence, std::optional<std::string> message);

  /// Reads the image. REQUIRES: every message was taken; the assembly outlives
  /// the reader. Fails the reader if a part is missing or damaged.
  byte_reader image() const;

  const stored_snapshot& what() const noexcept { return what_; }

private:
  stored_snapshot what_;
  std::map<uint64_t, std::string> messages_;
};

} // namespace fantail
