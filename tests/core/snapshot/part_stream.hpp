// SPDX-License-Identifier: MIT
#pragma once

#include "core/snapshot/snapshot_reader.hpp"
#include "core/snapshot/snapshot_writer.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fantail::test {

/// A stream of snapshots in memory.
class part_stream {
public:
  uint64_t append(std::string part) {
    parts[++last] = std::move(part);
    return last;
  }

  void trim(uint64_t first_kept) {
    parts.erase(parts.begin(), parts.lower_bound(first_kept));
  }

  uint64_t first() const {
    return parts.empty() ? last + 1 : parts.begin()->first;
  }

  std::optional<std::string> at(uint64_t sequence) const {
    auto i = parts.find(sequence);
    return i == parts.end() ? std::nullopt : std::optional{i->second};
  }

  /// The snapshots a start would find, newest first.
  snapshot_search search(snapshot_source of, size_t most = 16) const {
    snapshot_search result{of, first(), parts.empty() ? 0 : last, most};
    while (auto sequence = result.next())
      result.take(at(*sequence));
    return result;
  }

  snapshot_assembly read(const stored_snapshot& x) const {
    snapshot_assembly result{x};
    for (auto sequence = x.last; sequence >= x.first; --sequence)
      result.take(sequence, at(sequence));
    return result;
  }

  std::map<uint64_t, std::string> parts;
  uint64_t last = 0;
};

} // namespace fantail::test
