// SPDX-License-Identifier: MIT
// Writing and reading a slab_pool, and who owns what in one that was read.
#include "core/routing/slab_pool.hpp"

#include <cstring>

namespace fantail {

namespace {

/// In place of a size class: the chunk is not in use.
constexpr uint8_t unused = UINT8_MAX;

/// Far beyond the largest row and row list.
constexpr uint32_t alone_bytes_max = 64 * 1024 * 1024;

} // namespace

void slab_pool::save(byte_writer& out) const {
  out.put_count(chunks_.size() - 1);
  for (size_t i = 1; i < chunks_.size(); ++i) {
    auto& x = chunks_[i];
    out.put(x.bytes ? x.size_class : unused);
    if (!x.bytes)
      continue;
    if (x.size_class == alone)
      out.put(x.block_bytes);
    out.put(x.touched);
    out.put(x.first_free);
    out.copy_from(x.bytes.get(), size_t{x.touched} * x.block_bytes);
  }
}

void slab_pool::load(byte_reader& in) {
  chunks_.resize(in.take_count(1, UINT32_MAX >> index_bits) + 1);
  for (uint32_t i = 1; i < chunks_.size() && in.ok(); ++i) {
    auto size_class = in.take<uint8_t>();
    if (size_class == unused)
      unused_chunks_.push_back(i);
    else if (in.expect(size_class <= alone, "a block of no known size"))
      load_chunk(i, size_class, in);
  }
}

void slab_pool::load_chunk(uint32_t index, uint8_t size_class,
                           byte_reader& in) {
  size_t block_bytes
      = size_class == alone ? in.take<uint32_t>() : bytes_of(size_class);
  auto touched = in.take<uint16_t>();
  auto first_free = in.take<uint16_t>();
  auto is_sound = block_bytes > 0 && block_bytes % 8 == 0
                  && block_bytes <= alone_bytes_max && touched > 0
                  && touched <= blocks_of(size_class, block_bytes)
                  && touched * block_bytes <= in.left();
  if (!in.expect(is_sound, "a chunk of blocks is out of shape"))
    return;
  fill_chunk(index, size_class, block_bytes);
  auto& made = chunks_[index];
  made.touched = touched;
  made.first_free = first_free;
  in.copy_to(made.bytes.get(), touched * block_bytes);
  size_t free_blocks = 0;
  for (auto block = first_free; block != no_block; ++free_blocks) {
    // More steps than blocks mean a circle.
    if (!in.expect(block < touched && free_blocks < touched,
                   "a list of free blocks is torn"))
      return;
    std::memcpy(&block, made.bytes.get() + size_t{block} * block_bytes,
                sizeof block);
  }
  if (!in.expect(free_blocks < touched, "a chunk without a block in use"))
    return;
  made.live = static_cast<uint16_t>(touched - free_blocks);
  if (!is_full(made))
    link(index);
}

slab_audit::slab_audit(const slab_pool& pool)
    : pool_(pool), begins_(pool.chunks_.size()) {
  for (size_t i = 1; i < pool.chunks_.size(); ++i) {
    auto& chunk = pool.chunks_[i];
    begins_[i] = is_taken_.size();
    is_taken_.resize(is_taken_.size() + chunk.touched);
    unclaimed_ += chunk.live;
    for (auto block = chunk.first_free;
         chunk.bytes && block != slab_pool::no_block;) {
      is_taken_[begins_[i] + block] = true;
      std::memcpy(&block, chunk.bytes.get() + size_t{block} * chunk.block_bytes,
                  sizeof block);
    }
  }
}

bool slab_audit::claim(slab_pool::handle x) {
  auto index = x >> slab_pool::index_bits;
  auto block = x & slab_pool::index_mask;
  if (index == slab_pool::no_chunk || index >= pool_.chunks_.size()
      || block >= pool_.chunks_[index].touched
      || is_taken_[begins_[index] + block])
    return false;
  is_taken_[begins_[index] + block] = true;
  --unclaimed_;
  return true;
}

} // namespace fantail
