// SPDX-License-Identifier: MIT
#include "core/snapshot/restore_plan.hpp"

#include "core/hash.hpp"

#include <algorithm>

namespace fantail {

namespace {

/// Whether the ledger can go on behind its snapshot with what the log has.
bool goes_on(const found_log& log, const snapshot_descriptor& ledger,
             log_position up_to) {
  if (ledger.created_at != log.created_at || up_to.value < ledger.version_base)
    return false;
  auto at = up_to.value - ledger.version_base;
  return log.first <= at + 1 && at <= log.last;
}

/// Whether a life that began at `version_base` is the one of the log.
bool is_life_of(const found_log& log, log_progress x, uint64_t version_base) {
  return x.life == log_life_of(log.created_at, version_base)
         && x.up_to.value <= version_base + log.last;
}

} // namespace

presence_start plan_presence_start(presence_shard_id shard,
                                   const found_log& log,
                                   const std::vector<stored_snapshot>& ledgers,
                                   const std::vector<log_progress>& known) {
  presence_start result;
  // Only a ledger knows what versions of a log's life begin with; without one
  // they begin with the log.
  uint64_t version_base = 0;
  for (auto& x : ledgers)
    if (x.about.created_at == log.created_at) {
      version_base = x.about.version_base;
      break;
    }
  std::vector<log_position> lacks_behind;
  for (size_t i = 0; i < known.size(); ++i) {
    auto is_current = is_life_of(log, known[i], version_base);
    if (!is_current && known[i] != log_progress{})
      result.outdated.push_back(shard_id{static_cast<uint16_t>(i)});
    lacks_behind.push_back(is_current ? known[i].up_to : log_position{0});
  }
  auto least = lacks_behind.empty() ? log_position{0}
                                    : *std::ranges::min_element(lacks_behind);
  std::optional<size_t> newest;
  for (size_t i = 0; i < ledgers.size(); ++i) {
    auto up_to = ledgers[i].about.log_of(shard).up_to;
    if (!goes_on(log, ledgers[i].about, up_to))
      continue;
    newest = newest.value_or(i);
    if (up_to <= least) {
      result.snapshot = i;
      return result;
    }
  }
  auto is_whole = version_base == 0 && log.first <= 1;
  if (is_whole)
    return result;
  result.snapshot = newest;
  result.is_lost = !newest;
  auto start = newest ? ledgers[*newest].about.log_of(shard).up_to
                      : log_position{UINT64_MAX};
  for (size_t i = 0; i < known.size(); ++i)
    if (lacks_behind[i] < start)
      result.resync.push_back(shard_id{static_cast<uint16_t>(i)});
  return result;
}

} // namespace fantail
