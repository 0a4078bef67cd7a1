// SPDX-License-Identifier: MIT
#include "core/routing/row_store.hpp"

#include "core/limits.hpp"

#include <algorithm>
#include <cassert>

namespace fantail {

namespace {

static_assert(limits::instances_max <= 4096,
              "a narrow entry has 12 bits for the instance");

/// After a count grew beyond a narrow entry it has to fall this far before
/// the row becomes narrow again, so that it does not swing at the border.
constexpr uint16_t narrow_again_max = 7;

uint64_t side_key(row_id row, uint16_t instance) {
  return (uint64_t{row.value} << 16) | instance;
}

uint64_t mix(uint64_t x) {
  // The finalizer of MurmurHash3 (A. Appleby, public domain).
  x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCDull;
  x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53ull;
  return x ^ (x >> 33);
}

template <class T>
void insert_at(T* first, uint16_t size, uint16_t index, T value) {
  std::memmove(first + index + 1, first + index, (size - index) * sizeof(T));
  first[index] = value;
}

template <class T>
void erase_at(T* first, uint16_t size, uint16_t index) {
  std::memmove(first + index, first + index + 1,
               (size - index - 1u) * sizeof(T));
}

/// A count sits in the low four bits and is never zero, so the first entry
/// not below (instance, 0) is the instance's own or its successor.
uint16_t narrow_index(const uint16_t* first, uint16_t size, uint16_t instance) {
  auto* at = std::lower_bound(first, first + size,
                              static_cast<uint16_t>(instance << 4));
  return static_cast<uint16_t>(at - first);
}

template <class Entry>
uint16_t wide_index(const Entry* first, uint16_t size, uint16_t instance) {
  auto* at
      = std::lower_bound(first, first + size, instance,
                         [](auto& x, uint16_t y) { return x.instance < y; });
  return static_cast<uint16_t>(at - first);
}

size_t words_for(uint16_t instance) {
  return instance / 64u + 1u;
}

} // namespace

// -- counting

bool row_store::add(row_id id, instance_index instance) {
  assert(instance.value < limits::instances_max);
  auto& x = rows_[id.value];
  auto key = side_key(id, instance.value);
  switch (x.kind) {
  case encoding::wide:
    return add_wide(x, key, instance.value);
  case encoding::dense:
    return add_dense(x, key, instance.value);
  default:
    return add_narrow(x, instance.value);
  }
}

bool row_store::remove(row_id id, instance_index instance) {
  auto& x = rows_[id.value];
  auto key = side_key(id, instance.value);
  switch (x.kind) {
  case encoding::wide:
    return remove_wide(x, key, instance.value);
  case encoding::dense:
    return remove_dense(x, key, instance.value);
  default:
    return remove_narrow(x, instance.value);
  }
}

bool row_store::add_narrow(row& x, uint16_t instance) {
  auto* first = narrow_entries(x);
  auto i = narrow_index(first, x.entries, instance);
  if (i < x.entries && first[i] >> 4 == instance) {
    if ((first[i] & narrow_count_max) == narrow_count_max)
      rewrite(x, {instance, narrow_count_max + 1});
    else
      ++first[i];
    return false;
  }
  auto room = x.kind == encoding::inlined
                  ? size_t{inline_entries}
                  : blocks_.capacity(x.block) / sizeof(uint16_t);
  if (x.entries == room) {
    rewrite(x, {instance, 1});
  } else {
    insert_at(first, x.entries, i, static_cast<uint16_t>(instance << 4 | 1));
    ++x.entries;
  }
  return true;
}

bool row_store::remove_narrow(row& x, uint16_t instance) {
  auto* first = narrow_entries(x);
  auto i = narrow_index(first, x.entries, instance);
  assert(i < x.entries && first[i] >> 4 == instance);
  if ((--first[i] & narrow_count_max) > 0)
    return false;
  erase_at(first, x.entries--, i);
  shrink(x);
  return true;
}

bool row_store::add_wide(row& x, uint64_t key, uint16_t instance) {
  auto* first = wide_entries(x);
  auto i = wide_index(first, x.entries, instance);
  if (i < x.entries && first[i].instance == instance)
    return step_up(first[i].count, key);
  if (x.entries == blocks_.capacity(x.block) / sizeof(wide_entry)) {
    rewrite(x, {instance, 1});
  } else {
    insert_at(first, x.entries, i, wide_entry{instance, 1});
    ++x.entries;
  }
  return true;
}

bool row_store::remove_wide(row& x, uint64_t key, uint16_t instance) {
  auto* first = wide_entries(x);
  auto i = wide_index(first, x.entries, instance);
  assert(i < x.entries && first[i].instance == instance);
  if (!step_down(first[i].count, key))
    return false;
  erase_at(first, x.entries--, i);
  shrink(x);
  return true;
}

bool row_store::add_dense(row& x, uint64_t key, uint16_t instance) {
  auto view = dense_of(x);
  if (words_for(instance) > view.words) {
    rewrite(x, {instance, 1});
    return true;
  }
  if (!step_up(view.counts[instance], key))
    return false;
  view.bits[instance / 64] |= uint64_t{1} << (instance % 64);
  ++x.entries;
  return true;
}

bool row_store::remove_dense(row& x, uint64_t key, uint16_t instance) {
  auto view = dense_of(x);
  assert(words_for(instance) <= view.words && view.counts[instance] > 0);
  if (!step_down(view.counts[instance], key))
    return false;
  view.bits[instance / 64] &= ~(uint64_t{1} << (instance % 64));
  --x.entries;
  shrink(x);
  return true;
}

/// Adds one; true if it was zero.
bool row_store::step_up(uint16_t& count, uint64_t key) {
  if (count == wide_count_max) {
    ++beyond_[key];
    return false;
  }
  return count++ == 0;
}

/// Takes one away; true if it is zero now.
bool row_store::step_down(uint16_t& count, uint64_t key) {
  if (count == wide_count_max) {
    auto i = beyond_.find(key);
    if (i != beyond_.end()) {
      if (--i->second == 0)
        beyond_.erase(i);
      return false;
    }
  }
  return --count == 0;
}

uint16_t row_store::stored_count(const row& x,
                                 uint16_t instance) const noexcept {
  if (x.kind == encoding::dense) {
    auto view = dense_of(x);
    return words_for(instance) <= view.words ? view.counts[instance] : 0;
  }
  if (x.kind == encoding::wide) {
    auto* first = wide_entries(x);
    auto i = wide_index(first, x.entries, instance);
    auto found = i < x.entries && first[i].instance == instance;
    return found ? first[i].count : 0;
  }
  auto* first = narrow_entries(x);
  auto i = narrow_index(first, x.entries, instance);
  auto found = i < x.entries && first[i] >> 4 == instance;
  return found ? first[i] & narrow_count_max : 0;
}

uint32_t row_store::full_count(row_id id, wide_entry entry) const {
  if (entry.count < wide_count_max)
    return entry.count;
  auto more = beyond_.find(side_key(id, entry.instance));
  return entry.count + (more == beyond_.end() ? 0 : more->second);
}

// -- encodings

void row_store::decode(const row& x, std::vector<wide_entry>& out) const {
  out.clear();
  if (x.kind == encoding::wide) {
    out.assign(wide_entries(x), wide_entries(x) + x.entries);
  } else if (x.kind == encoding::dense) {
    auto view = dense_of(x);
    for (size_t i = 0; i < view.words * 64; ++i)
      if (view.counts[i] > 0)
        out.push_back({static_cast<uint16_t>(i), view.counts[i]});
  } else {
    auto* first = narrow_entries(x);
    for (auto* i = first; i != first + x.entries; ++i)
      out.push_back({static_cast<uint16_t>(*i >> 4),
                     static_cast<uint16_t>(*i & narrow_count_max)});
  }
}

void row_store::rewrite(row& x, wide_entry changed) {
  decode(x, scratch_);
  auto size = static_cast<uint16_t>(scratch_.size());
  auto i = wide_index(scratch_.data(), size, changed.instance);
  if (i < size && scratch_[i].instance == changed.instance)
    scratch_[i] = changed;
  else
    scratch_.insert(scratch_.begin() + i, changed);
  encode(x, scratch_);
}

void row_store::shrink(row& x) {
  if (x.kind == encoding::inlined)
    return;
  // Half empty is the mark, so that growing and shrinking stay apart.
  auto entry_bytes
      = x.kind == encoding::narrow ? sizeof(uint16_t) : sizeof(wide_entry);
  if (x.entries * entry_bytes * 2 >= blocks_.capacity(x.block))
    return;
  decode(x, scratch_);
  encode(x, scratch_);
}

void row_store::encode(row& x, const std::vector<wide_entry>& entries) {
  auto was_narrow = x.kind == encoding::inlined || x.kind == encoding::narrow;
  auto narrow_max = was_narrow ? narrow_count_max : narrow_again_max;
  auto fits = std::ranges::all_of(
      entries, [=](auto& entry) { return entry.count <= narrow_max; });
  if (x.kind != encoding::inlined)
    blocks_.release(x.block);
  x.entries = static_cast<uint16_t>(entries.size());
  if (fits) {
    x.kind = x.entries <= inline_entries ? encoding::inlined : encoding::narrow;
    if (x.kind == encoding::narrow)
      x.block = blocks_.allocate(entries.size() * sizeof(uint16_t));
    auto* out = narrow_entries(x);
    for (auto& entry : entries)
      *out++ = static_cast<uint16_t>(entry.instance << 4 | entry.count);
    return;
  }
  auto dense_bytes = words_for(entries.back().instance) * dense_word_bytes;
  if (entries.size() * sizeof(wide_entry) <= dense_bytes) {
    x.kind = encoding::wide;
    x.block = blocks_.allocate(entries.size() * sizeof(wide_entry));
    std::ranges::copy(entries, wide_entries(x));
    return;
  }
  x.kind = encoding::dense;
  x.block = blocks_.allocate(dense_bytes);
  std::memset(blocks_.at(x.block), 0, blocks_.capacity(x.block));
  auto view = dense_of(x);
  for (auto& entry : entries) {
    view.bits[entry.instance / 64] |= uint64_t{1} << (entry.instance % 64);
    view.counts[entry.instance] = entry.count;
  }
}

// -- inspection

uint64_t row_store::digest(row_id row, uint64_t seed) const {
  std::vector<wide_entry> entries;
  decode(rows_[row.value], entries);
  uint64_t result = 0;
  for (auto& x : entries) {
    auto count = uint64_t{full_count(row, x)};
    result += mix(seed ^ mix(count << 16 | x.instance));
  }
  return result;
}

size_t row_store::byte_count() const noexcept {
  // A node of the side table is an entry, a link and the heap's own word.
  constexpr size_t node_bytes = sizeof(std::pair<uint64_t, uint32_t>) + 16;
  return rows_.byte_count() + blocks_.byte_count()
         + beyond_.bucket_count() * sizeof(void*) + beyond_.size() * node_bytes;
}

bool row_store::check_invariants(row_id id) const {
  auto& x = rows_[id.value];
  std::vector<wide_entry> entries;
  decode(x, entries);
  if (entries.size() != x.entries)
    return false;
  std::vector<uint16_t> listed;
  for_each_instance(id, [&](auto i) { listed.push_back(i.value); });
  for (size_t i = 0; i < entries.size(); ++i)
    if (entries[i].count == 0 || listed.at(i) != entries[i].instance
        || (i > 0 && entries[i - 1].instance >= entries[i].instance))
      return false;
  for (auto& entry : entries)
    if (entry.count < wide_count_max
        && beyond_.contains(side_key(id, entry.instance)))
      return false;
  return listed.size() == entries.size();
}

} // namespace fantail
