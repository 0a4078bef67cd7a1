// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/routing/paged_array.hpp"
#include "core/routing/slab_pool.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace fantail {

/// Stands for "this channel has no row".
inline constexpr row_id no_row{UINT32_MAX};

/// Channel name -> row, and back. Rows are dense: the row of a channel that
/// was erased is given to the next new one.
///
/// Open addressing with linear probing. A slot is 8 bytes: 32 bits of the
/// name's hash and the row. The hash bits are also the slot's place, so
/// growing never touches a name, and an unknown name rarely does. Memory
/// misses are the whole cost at 500,000 channels; `find` therefore takes
/// many names at once and lets their misses overlap.
///
/// Not thread safe. Growing costs a few milliseconds at 500,000 channels.
///
/// Invariants (check_invariants): every row in use is found under its name;
/// at most two thirds of the slots are taken.
class channel_dictionary {
public:
  /// One name of a batch on its way to its row.
  struct lookup {
    std::string_view name;
    uint32_t tag = 0;
    row_id row = no_row;
  };

  channel_dictionary();

  /// Fills in `tag`, and `row` or `no_row`, of every lookup. Best with 16 to
  /// 64 of them.
  void find(std::span<lookup> batch) const;

  /// The row of one name, or no_row.
  row_id find(std::string_view name) const;

  /// Gives `x.name` a row, if it has none, and returns true if it had none.
  /// REQUIRES: `x` went through `find`.
  bool intern(lookup& x);

  /// Forgets the channel of `row`. REQUIRES: `row` is in use.
  void erase(row_id row);

  /// Valid until `row` is erased. REQUIRES: `row` is in use.
  std::string_view name_of(row_id row) const noexcept;

  bool in_use(row_id row) const noexcept {
    return row.value < rows_made_ && names_[row.value] != slab_pool::none;
  }

  /// Number of channels.
  size_t size() const noexcept { return size_; }

  /// Every row in use is below this.
  uint32_t row_bound() const noexcept { return rows_made_; }

  /// Writes the names; every channel keeps its row.
  void save(byte_writer& out) const;

  /// Reads them into this empty dictionary, and checks them.
  void load(byte_reader& in);

  size_t byte_count() const noexcept;
  bool check_invariants() const;

private:
  struct slot {
    uint32_t tag = 0;
    row_id row = no_row;
  };

  static uint32_t tag_of(std::string_view name) noexcept;
  size_t mask() const noexcept { return slots_.size() - 1; }
  /// The slot of `name`, or the empty one where it would be.
  size_t probe(std::string_view name, uint32_t tag) const noexcept;
  /// The first row on the way whose tag agrees: nearly always the right one.
  row_id guess(uint32_t tag) const noexcept;
  row_id take_row();
  void load_free_rows(byte_reader& in);
  void load_slots(byte_reader& in);
  void resize(size_t slots);

  std::vector<slot> slots_;
  size_t size_ = 0;
  /// Per row the block with its name: a byte with the size, then the bytes.
  paged_array<slab_pool::handle> names_;
  slab_pool name_blocks_;
  uint32_t rows_made_ = 0;
  std::vector<row_id> free_rows_;
};

} // namespace fantail
