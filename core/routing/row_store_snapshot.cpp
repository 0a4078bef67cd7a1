// SPDX-License-Identifier: MIT
// Writing and reading a row_store.
#include "core/limits.hpp"
#include "core/routing/row_store.hpp"

namespace fantail {

namespace {

constexpr size_t beyond_bytes = sizeof(uint64_t) + sizeof(uint32_t);

} // namespace

void row_store::save(byte_writer& out) const {
  rows_.save(out);
  blocks_.save(out);
  out.put_count(beyond_.size());
  for (auto& [key, more] : beyond_) {
    out.put(key);
    out.put(more);
  }
}

void row_store::load(byte_reader& in, const channel_dictionary& channels,
                     size_t instances) {
  rows_.load(in);
  blocks_.load(in);
  if (!in.ok())
    return;
  slab_audit audit{blocks_};
  size_t found = 0;
  rows_.for_each([&](size_t i, const row&) {
    auto& x = rows_[i];
    // Who departed pins, and nobody else; until then it may be any byte.
    std::memset(&x.pinned, 0, sizeof x.pinned);
    if (i >= channels.row_bound()
        || !channels.in_use(row_id{static_cast<uint32_t>(i)})) {
      x = {};
      return;
    }
    ++found;
    auto has_block = x.kind != encoding::inlined;
    if (in.ok())
      in.expect((!has_block || audit.claim(x.block)) && is_sound(x, instances),
                "a row is out of shape");
  });
  in.expect(found == channels.size() && audit.is_complete(),
            "rows and channels do not add up");
  load_beyond(in, channels);
}

bool row_store::is_sound(const row& x, size_t instances) const {
  auto room = size_t{inline_entries};
  if (x.kind == encoding::narrow)
    room = blocks_.capacity(x.block) / sizeof(uint16_t);
  else if (x.kind == encoding::wide)
    room = blocks_.capacity(x.block) / sizeof(wide_entry);
  else if (x.kind == encoding::dense)
    room = dense_of(x).words * 64;
  else if (x.kind != encoding::inlined)
    return false;
  if (x.entries > room || x.entries > limits::instances_max)
    return false;
  if (x.kind == encoding::dense && !is_sound(dense_of(x), x.entries))
    return false;
  std::vector<wide_entry> entries;
  decode(x, entries);
  for (size_t i = 0; i < entries.size(); ++i)
    if (entries[i].count == 0 || entries[i].instance >= instances
        || (i > 0 && entries[i - 1].instance >= entries[i].instance))
      return false;
  return true;
}

bool row_store::is_sound(dense_view view, size_t entries) {
  size_t found = 0;
  for (size_t i = 0; i < view.words * 64; ++i) {
    auto has_bit = (view.bits[i / 64] >> (i % 64) & 1) != 0;
    if (has_bit != (view.counts[i] > 0))
      return false;
    found += has_bit;
  }
  return found == entries;
}

void row_store::load_beyond(byte_reader& in,
                            const channel_dictionary& channels) {
  for (auto left = in.take_count(beyond_bytes); left > 0 && in.ok(); --left) {
    auto key = in.take<uint64_t>();
    auto more = in.take<uint32_t>();
    row_id row{static_cast<uint32_t>(key >> 16)};
    auto is_full = key >> 48 == 0 && channels.in_use(row)
                   && stored_count(rows_[row.value], static_cast<uint16_t>(key))
                          == wide_count_max
                   && rows_[row.value].kind != encoding::inlined
                   && rows_[row.value].kind != encoding::narrow;
    in.expect(is_full && more > 0 && beyond_.try_emplace(key, more).second,
              "a count goes on that is not full");
  }
}

uint64_t row_store::membership_sum(row_id row) const {
  std::vector<wide_entry> entries;
  decode(rows_[row.value], entries);
  auto result = members(row) * place_hash(row, anywhere);
  for (auto& x : entries)
    result += full_count(row, x) * place_hash(row, x.instance);
  return result;
}

void row_store::renumber(std::span<const instance_index> numbers) {
  std::vector<wide_entry> entries;
  rows_.for_each([&](size_t id, const row&) {
    auto& x = rows_[id];
    decode(x, entries);
    if (entries.empty())
      return;
    for (auto& entry : entries)
      entry.instance = numbers[entry.instance].value;
    std::ranges::sort(entries, {}, &wide_entry::instance);
    encode(x, entries);
  });
  for (auto& [key, more] : std::exchange(beyond_, {}))
    beyond_[key >> 16 << 16 | numbers[key & UINT16_MAX].value] = more;
}

} // namespace fantail
