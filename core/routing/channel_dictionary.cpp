// SPDX-License-Identifier: MIT
#include "core/routing/channel_dictionary.hpp"

#include "core/hash.hpp"
#include "core/limits.hpp"
#include "core/routing/prefetch.hpp"

#include <cassert>
#include <cstring>
#include <utility>

namespace fantail {

namespace {

constexpr size_t slots_min = 64;

static_assert(limits::token_bytes_max <= UINT8_MAX,
              "a byte in front of a name holds its size");

} // namespace

channel_dictionary::channel_dictionary() : slots_(slots_min) {}

uint32_t channel_dictionary::tag_of(std::string_view name) noexcept {
  return static_cast<uint32_t>(table_hash(name));
}

size_t channel_dictionary::probe(std::string_view name,
                                 uint32_t tag) const noexcept {
  auto i = tag & mask();
  while (slots_[i].row != no_row
         && (slots_[i].tag != tag || name_of(slots_[i].row) != name))
    i = (i + 1) & mask();
  return i;
}

row_id channel_dictionary::guess(uint32_t tag) const noexcept {
  auto i = tag & mask();
  while (slots_[i].row != no_row && slots_[i].tag != tag)
    i = (i + 1) & mask();
  return slots_[i].row;
}

void channel_dictionary::find(std::span<lookup> batch) const {
  // Each pass asks for the memory that the next one reads.
  for (auto& x : batch) {
    x.tag = tag_of(x.name);
    prefetch(&slots_[x.tag & mask()]);
  }
  for (auto& x : batch) {
    x.row = guess(x.tag);
    if (x.row != no_row)
      prefetch(&names_[x.row.value]);
  }
  for (auto& x : batch)
    if (x.row != no_row)
      prefetch(name_blocks_.at(names_[x.row.value]));
  for (auto& x : batch)
    if (x.row != no_row && name_of(x.row) != x.name)
      x.row = slots_[probe(x.name, x.tag)].row;
}

row_id channel_dictionary::find(std::string_view name) const {
  return slots_[probe(name, tag_of(name))].row;
}

bool channel_dictionary::intern(lookup& x) {
  auto i = probe(x.name, x.tag);
  if (slots_[i].row != no_row) {
    x.row = slots_[i].row;
    return false;
  }
  if ((size_ + 1) * 3 > slots_.size() * 2) {
    resize(slots_.size() * 2);
    i = probe(x.name, x.tag);
  }
  auto block = name_blocks_.allocate(x.name.size() + 1);
  auto* at = name_blocks_.at(block);
  *at = static_cast<char>(x.name.size());
  std::memcpy(at + 1, x.name.data(), x.name.size());
  x.row = take_row();
  names_[x.row.value] = block;
  slots_[i] = {x.tag, x.row};
  ++size_;
  return true;
}

void channel_dictionary::erase(row_id row) {
  assert(in_use(row));
  auto name = name_of(row);
  auto hole = probe(name, tag_of(name));
  // Linear probing needs no tombstones: what lies behind the hole and would
  // not be found any more moves up into it.
  for (auto i = (hole + 1) & mask(); slots_[i].row != no_row;
       i = (i + 1) & mask()) {
    auto home = slots_[i].tag & mask();
    if (((i - home) & mask()) >= ((i - hole) & mask()))
      slots_[std::exchange(hole, i)] = slots_[i];
  }
  slots_[hole] = {};
  name_blocks_.release(std::exchange(names_[row.value], slab_pool::none));
  free_rows_.push_back(row);
  --size_;
  if (slots_.size() > slots_min && size_ * 8 < slots_.size())
    resize(slots_.size() / 2);
}

std::string_view channel_dictionary::name_of(row_id row) const noexcept {
  auto* at = name_blocks_.at(names_[row.value]);
  return {at + 1, static_cast<uint8_t>(*at)};
}

row_id channel_dictionary::take_row() {
  if (!free_rows_.empty()) {
    auto row = free_rows_.back();
    free_rows_.pop_back();
    return row;
  }
  names_.make(rows_made_);
  return row_id{rows_made_++};
}

void channel_dictionary::resize(size_t slots) {
  auto before = std::exchange(slots_, std::vector<slot>(slots));
  for (auto& x : before) {
    if (x.row == no_row)
      continue;
    auto i = x.tag & mask();
    while (slots_[i].row != no_row)
      i = (i + 1) & mask();
    slots_[i] = x;
  }
}

size_t channel_dictionary::byte_count() const noexcept {
  return slots_.capacity() * sizeof(slot) + names_.byte_count()
         + name_blocks_.byte_count() + free_rows_.capacity() * sizeof(row_id);
}

bool channel_dictionary::check_invariants() const {
  size_t in_slots = 0;
  for (auto& x : slots_)
    in_slots += x.row != no_row;
  size_t found = 0;
  for (uint32_t i = 0; i < rows_made_; ++i)
    found += in_use(row_id{i}) && find(name_of(row_id{i})) == row_id{i};
  return in_slots == size_ && found == size_
         && size_ + free_rows_.size() == rows_made_
         && size_ * 3 <= slots_.size() * 2 && name_blocks_.check_invariants();
}

} // namespace fantail
