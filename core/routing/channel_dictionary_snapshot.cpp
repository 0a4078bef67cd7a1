// SPDX-License-Identifier: MIT
// Writing and reading a channel_dictionary.
#include "core/routing/channel_dictionary.hpp"
#include "core/subject.hpp"

namespace fantail {

void channel_dictionary::save(byte_writer& out) const {
  out.put(rows_made_);
  names_.save(out);
  name_blocks_.save(out);
  out.put_count(free_rows_.size());
  for (auto row : free_rows_)
    out.put(row.value);
}

void channel_dictionary::load(byte_reader& in) {
  rows_made_ = in.take<uint32_t>();
  names_.load(in);
  name_blocks_.load(in);
  for (size_t row = 0; row < rows_made_ && in.ok(); row += names_.page_elements)
    in.expect(names_.find(row) != nullptr, "a row has no place for a name");
  load_free_rows(in);
  load_slots(in);
}

void channel_dictionary::load_free_rows(byte_reader& in) {
  std::vector<bool> is_free(in.ok() ? rows_made_ : 0);
  free_rows_.resize(in.take_count(sizeof(uint32_t), is_free.size()));
  for (auto& row : free_rows_) {
    row.value = in.take<uint32_t>();
    if (!in.expect(row.value < rows_made_
                       && names_[row.value] == slab_pool::none
                       && !is_free[row.value],
                   "a row is free and is not"))
      return;
    is_free[row.value] = true;
  }
}

/// The slots follow from the names.
void channel_dictionary::load_slots(byte_reader& in) {
  if (!in.ok())
    return;
  size_ = rows_made_ - free_rows_.size();
  auto slots = slots_.size();
  while (size_ * 3 > slots * 2)
    slots *= 2;
  slots_.assign(slots, {});
  slab_audit blocks{name_blocks_};
  size_t found = 0;
  for (row_id row; row.value < rows_made_ && in.ok(); ++row.value) {
    if (!in_use(row))
      continue;
    if (!in.expect(++found <= size_ && blocks.claim(names_[row.value]),
                   "a channel without a name of its own"))
      return;
    auto* at = name_blocks_.at(names_[row.value]);
    auto size = static_cast<uint8_t>(*at);
    if (!in.expect(size < name_blocks_.capacity(names_[row.value])
                       && is_token({at + 1, size}),
                   "a channel's name is not a token"))
      return;
    auto tag = tag_of(name_of(row));
    auto& slot = slots_[probe(name_of(row), tag)];
    in.expect(slot.row == no_row, "two channels have the same name");
    slot = {tag, row};
  }
  in.expect(found == size_ && blocks.is_complete(),
            "a channel's name belongs to nobody");
}

} // namespace fantail
