// SPDX-License-Identifier: MIT
#pragma once

#include "core/snapshot/byte_reader.hpp"
#include "core/snapshot/byte_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace fantail {

/// Memory for millions of small blocks that are named by 32 bits instead of a
/// pointer. Blocks come in size classes at most 12.5 % apart (8 bytes apart
/// below 128 bytes). Each class takes its blocks from chunks of its own, and
/// an empty chunk goes back to the heap, so a population that outgrows one
/// class leaves little behind. Not thread safe.
///
/// Source: J. Bonwick, "The Slab Allocator", USENIX Summer 1994.
///
/// Bounds: 2^21 chunks of at least 16 KiB; std::bad_alloc beyond.
///
/// Invariants (check_invariants):
/// 1. a chunk is in its class's list exactly if it has a free block;
/// 2. no chunk is without a live block;
/// 3. `live` and the free blocks of a chunk add up to the blocks it has handed
///    out so far.
class slab_pool {
public:
  /// Names a block. Zero-filled memory is full of `none`.
  using handle = uint32_t;
  static constexpr handle none = 0;

  slab_pool();
  slab_pool(slab_pool&&) noexcept = default;
  slab_pool& operator=(slab_pool&&) noexcept = default;

  /// A block of at least `bytes` bytes (> 0), aligned to 8, not cleared.
  handle allocate(size_t bytes);

  /// Gives a block back. REQUIRES: `x` is allocated.
  void release(handle x) noexcept;

  /// The block's memory; it does not move while the block lives.
  char* at(handle x) noexcept {
    auto& home = chunks_[x >> index_bits];
    return home.bytes.get() + size_t{x & index_mask} * home.block_bytes;
  }
  const char* at(handle x) const noexcept {
    return const_cast<slab_pool*>(this)->at(x);
  }

  /// What the block really holds, >= what was asked for.
  size_t capacity(handle x) const noexcept {
    return chunks_[x >> index_bits].block_bytes;
  }

  /// The capacity a block of `bytes` bytes would have.
  static size_t rounded(size_t bytes) noexcept;

  /// Everything taken from the heap, used or not.
  size_t byte_count() const noexcept;

  /// Writes all blocks; their handles stay what they are.
  void save(byte_writer& out) const;

  /// Reads them into this empty pool. What is in the blocks, and who owns
  /// them, has to be checked before they are used (slab_audit).
  void load(byte_reader& in);

  /// True if the invariants hold. Slow.
  bool check_invariants() const;

private:
  friend class slab_audit;

  static constexpr unsigned index_bits = 11;
  static constexpr uint32_t index_mask = (1u << index_bits) - 1;
  static constexpr uint16_t no_block = UINT16_MAX;
  static constexpr uint32_t no_chunk = 0;
  static constexpr uint8_t class_count = 72;
  /// The class of a block that is too large for any class and fills a chunk.
  static constexpr uint8_t alone = class_count;

  struct chunk {
    std::unique_ptr<char[]> bytes;
    uint32_t block_bytes = 0;
    uint16_t blocks = 0;
    /// Blocks handed out at least once; those behind were never touched.
    uint16_t touched = 0;
    uint16_t live = 0;
    uint16_t first_free = no_block;
    uint8_t size_class = 0;
    uint32_t before = no_chunk;
    uint32_t after = no_chunk;
  };

  static uint8_t class_of(size_t bytes) noexcept;
  static size_t bytes_of(uint8_t size_class) noexcept;
  static bool is_full(const chunk& x) noexcept;
  static size_t blocks_of(uint8_t size_class, size_t block_bytes) noexcept;
  uint32_t make_chunk(uint8_t size_class, size_t block_bytes);
  void fill_chunk(uint32_t index, uint8_t size_class, size_t block_bytes);
  void load_chunk(uint32_t index, uint8_t size_class, byte_reader& in);
  void drop_chunk(uint32_t index) noexcept;
  void link(uint32_t index) noexcept;
  void unlink(uint32_t index) noexcept;

  /// Chunk 0 is never used, so that no block has the handle `none`.
  std::vector<chunk> chunks_;
  std::vector<uint32_t> unused_chunks_;
  /// Per class, the chunks that have a free block.
  uint32_t open_chunks_[class_count] = {};
  size_t chunk_bytes_ = 0;
};

/// Checks that the handles somebody loaded are blocks of a pool that was
/// loaded, and that nobody shares one. Not thread safe.
class slab_audit {
public:
  /// REQUIRES: the pool does not change meanwhile.
  explicit slab_audit(const slab_pool& pool);

  /// True if `x` is an allocated block that was not claimed before.
  bool claim(slab_pool::handle x);

  /// True if every allocated block was claimed.
  bool is_complete() const noexcept { return unclaimed_ == 0; }

private:
  const slab_pool& pool_;
  /// Per chunk, where its blocks begin in `is_taken_`.
  std::vector<size_t> begins_;
  /// Free or claimed.
  std::vector<bool> is_taken_;
  size_t unclaimed_ = 0;
};

} // namespace fantail
