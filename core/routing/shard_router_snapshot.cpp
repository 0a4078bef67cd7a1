// SPDX-License-Identifier: MIT
// Writing and reading a shard_router.
#include "core/routing/shard_router.hpp"

namespace fantail {

namespace {

constexpr size_t lane_bytes = 2 * sizeof(uint64_t);

bool is_identity(std::span<const instance_index> numbers) {
  for (size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i].value != i)
      return false;
  return true;
}

} // namespace

void shard_router::save(byte_writer& out) const {
  out.put(shard_.value);
  out.put_count(lanes_.size());
  for (auto& from : lanes_) {
    out.put(from.log.life.value);
    out.put(from.log.up_to.value);
  }
  table_.save(out);
  departures_.save(out);
}

void shard_router::load(byte_reader& in,
                        std::span<const instance_index> numbers) {
  in.expect(in.take<uint16_t>() == shard_.value, "another shard's snapshot");
  lanes_.resize(in.take_count(lane_bytes, limits::presence_shards_max));
  for (auto& from : lanes_) {
    from.log.life.value = in.take<uint64_t>();
    from.log.up_to.value = in.take<uint64_t>();
  }
  table_.load(in, numbers.size());
  departures_.load(in, numbers.size());
  if (!in.expect_end())
    return;
  departures_.for_each_row([&](row_id row) {
    if (in.expect(table_.channels().in_use(row), "nobody left this channel"))
      table_.pin(row);
  });
  // Events stored before these departures may be routed once more, and until
  // then nobody may be told that he has left.
  if (!departures_.empty())
    for (auto& from : lanes_)
      from.waiting.push_back({1, departures_.newest_ns()});
  auto& channels = table_.channels();
  for (row_id row; row.value < channels.row_bound(); ++row.value)
    in.expect(!channels.in_use(row) || table_.rows().members(row) > 0
                  || table_.rows().pinned(row),
              "a channel that nobody needs");
  if (!in.ok() || is_identity(numbers))
    return;
  table_.renumber(numbers);
  departures_.renumber(numbers);
}

void shard_router::forget(presence_shard_id from) {
  vacated_.clear();
  table_.forget(from, vacated_);
  table_.release_orphans();
  vacated_.clear();
  if (from.value < lanes_.size())
    lanes_[from.value] = {};
}

} // namespace fantail
