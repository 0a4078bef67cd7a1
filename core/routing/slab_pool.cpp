// SPDX-License-Identifier: MIT
#include "core/routing/slab_pool.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <new>

namespace fantail {

namespace {

constexpr size_t chunk_bytes_min = 16 * 1024;
constexpr size_t chunk_blocks_min = 8;

// Up to `linear_max` classes are 8 bytes apart; from there on every doubling
// is cut into 8.
constexpr size_t linear_max = 128;
constexpr size_t linear_classes = linear_max / 8;
constexpr unsigned linear_bits = std::bit_width(linear_max) - 1;
constexpr size_t class_bytes_max = 16 * 1024;

} // namespace

slab_pool::slab_pool() : chunks_(1) {}

uint8_t slab_pool::class_of(size_t bytes) noexcept {
  if (bytes <= linear_max)
    return static_cast<uint8_t>((bytes + 7) / 8 - 1);
  if (bytes > class_bytes_max)
    return alone;
  auto last = bytes - 1;
  auto bits = static_cast<unsigned>(std::bit_width(last)) - 1;
  auto step = (last >> (bits - 3)) & 7;
  return static_cast<uint8_t>(linear_classes + (bits - linear_bits) * 8 + step);
}

size_t slab_pool::bytes_of(uint8_t size_class) noexcept {
  if (size_class < linear_classes)
    return (size_t{size_class} + 1) * 8;
  auto doubling = (size_class - linear_classes) / 8;
  auto step = (size_class - linear_classes) % 8;
  return (linear_max << doubling) / 8 * (8 + step + 1);
}

size_t slab_pool::rounded(size_t bytes) noexcept {
  auto size_class = class_of(bytes);
  return size_class == alone ? (bytes + 7) / 8 * 8 : bytes_of(size_class);
}

bool slab_pool::is_full(const chunk& x) noexcept {
  return x.live == x.blocks;
}

slab_pool::handle slab_pool::allocate(size_t bytes) {
  assert(bytes > 0);
  auto size_class = class_of(bytes);
  auto index = size_class == alone ? no_chunk : open_chunks_[size_class];
  if (index == no_chunk)
    index = make_chunk(size_class, rounded(bytes));
  auto& home = chunks_[index];
  auto block = home.first_free;
  if (block == no_block)
    block = home.touched++;
  else
    std::memcpy(&home.first_free,
                home.bytes.get() + size_t{block} * home.block_bytes,
                sizeof home.first_free);
  ++home.live;
  if (is_full(home) && size_class != alone)
    unlink(index);
  return (index << index_bits) | block;
}

void slab_pool::release(handle x) noexcept {
  auto index = x >> index_bits;
  auto& home = chunks_[index];
  assert(home.live > 0);
  auto was_full = is_full(home);
  if (--home.live == 0) {
    if (!was_full)
      unlink(index);
    drop_chunk(index);
    return;
  }
  std::memcpy(at(x), &home.first_free, sizeof home.first_free);
  home.first_free = static_cast<uint16_t>(x & index_mask);
  if (was_full)
    link(index);
}

size_t slab_pool::blocks_of(uint8_t size_class, size_t block_bytes) noexcept {
  return size_class == alone
             ? 1
             : std::max(chunk_blocks_min, chunk_bytes_min / block_bytes);
}

uint32_t slab_pool::make_chunk(uint8_t size_class, size_t block_bytes) {
  uint32_t index;
  if (!unused_chunks_.empty()) {
    index = unused_chunks_.back();
    unused_chunks_.pop_back();
  } else {
    index = static_cast<uint32_t>(chunks_.size());
    if (index > UINT32_MAX >> index_bits)
      throw std::bad_alloc{};
    chunks_.emplace_back();
  }
  fill_chunk(index, size_class, block_bytes);
  if (size_class != alone)
    link(index);
  return index;
}

void slab_pool::fill_chunk(uint32_t index, uint8_t size_class,
                           size_t block_bytes) {
  auto blocks = blocks_of(size_class, block_bytes);
  auto& made = chunks_[index];
  made.bytes = std::make_unique_for_overwrite<char[]>(blocks * block_bytes);
  made.block_bytes = static_cast<uint32_t>(block_bytes);
  made.blocks = static_cast<uint16_t>(blocks);
  made.size_class = size_class;
  chunk_bytes_ += blocks * block_bytes;
}

void slab_pool::drop_chunk(uint32_t index) noexcept {
  auto& home = chunks_[index];
  chunk_bytes_ -= size_t{home.blocks} * home.block_bytes;
  home = chunk{};
  unused_chunks_.push_back(index);
}

void slab_pool::link(uint32_t index) noexcept {
  auto& home = chunks_[index];
  auto& head = open_chunks_[home.size_class];
  home.before = no_chunk;
  home.after = head;
  if (head != no_chunk)
    chunks_[head].before = index;
  head = index;
}

void slab_pool::unlink(uint32_t index) noexcept {
  auto& home = chunks_[index];
  if (home.size_class == alone)
    return;
  if (home.before == no_chunk)
    open_chunks_[home.size_class] = home.after;
  else
    chunks_[home.before].after = home.after;
  if (home.after != no_chunk)
    chunks_[home.after].before = home.before;
}

size_t slab_pool::byte_count() const noexcept {
  return chunk_bytes_ + chunks_.capacity() * sizeof(chunk)
         + unused_chunks_.capacity() * sizeof(uint32_t);
}

bool slab_pool::check_invariants() const {
  std::vector<bool> is_open(chunks_.size());
  for (auto head : open_chunks_)
    for (auto i = head; i != no_chunk; i = chunks_[i].after)
      is_open[i] = true;
  for (size_t i = 1; i < chunks_.size(); ++i) {
    auto& x = chunks_[i];
    if (!x.bytes) {
      if (is_open[i])
        return false;
      continue;
    }
    size_t free_blocks = 0;
    for (auto block = x.first_free; block != no_block; ++free_blocks)
      std::memcpy(&block, x.bytes.get() + size_t{block} * x.block_bytes,
                  sizeof block);
    if (x.live == 0 || x.live + free_blocks != x.touched
        || is_open[i] == is_full(x))
      return false;
  }
  return true;
}

} // namespace fantail
