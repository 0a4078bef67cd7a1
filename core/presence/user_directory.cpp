// SPDX-License-Identifier: MIT
#include "core/presence/user_directory.hpp"

#include "core/hash.hpp"
#include "core/subject.hpp"

#include <cassert>

namespace fantail {

user_directory::user_directory() : slots_(16, empty) {}

std::optional<user_handle> user_directory::find(std::string_view name) const {
  auto handle = slots_[slot_of(name)];
  return handle == empty ? std::nullopt : std::optional{user_handle{handle}};
}

user_handle user_directory::add(std::string_view name) {
  assert(!find(name));
  if ((size_ + 1) * 8 > slots_.size() * 7)
    grow();
  auto handle = handle_end();
  if (free_.empty()) {
    places_.push_back(names_.add(name));
  } else {
    handle = free_.back();
    free_.pop_back();
    places_[handle] = names_.add(name);
  }
  slots_[slot_of(name)] = handle;
  ++size_;
  return user_handle{handle};
}

void user_directory::remove(user_handle user) {
  auto mask = slots_.size() - 1;
  auto hole = slot_of(name_of(user));
  assert(slots_[hole] == user.value);
  // Whoever was pushed past the hole by a collision moves back into it.
  for (auto i = (hole + 1) & mask; slots_[i] != empty; i = (i + 1) & mask) {
    auto home = home_of(name_of(user_handle{slots_[i]}));
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      slots_[hole] = slots_[i];
      hole = i;
    }
  }
  slots_[hole] = empty;
  names_.remove(places_[user.value]);
  free_.push_back(user.value);
  --size_;
}

size_t user_directory::byte_count() const noexcept {
  return names_.byte_count() + places_.size() * sizeof places_[0]
         + (slots_.capacity() + free_.capacity()) * sizeof(uint32_t);
}

size_t user_directory::home_of(std::string_view name) const noexcept {
  return table_hash(name) & (slots_.size() - 1);
}

/// The slot of `name`, or the empty one where it belongs.
size_t user_directory::slot_of(std::string_view name) const noexcept {
  auto slot = home_of(name);
  while (slots_[slot] != empty && name_of(user_handle{slots_[slot]}) != name)
    slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

void user_directory::grow() {
  std::vector<uint32_t> old(slots_.size() * 2, empty);
  old.swap(slots_);
  for (auto handle : old)
    if (handle != empty)
      slots_[slot_of(name_of(user_handle{handle}))] = handle;
}

void user_directory::save(byte_writer& out) const {
  out.put_count(places_.size());
  out.put_count(free_.size());
  for (auto handle : free_)
    out.put(handle);
  for_each([&](user_handle user) { out.put_text(name_of(user)); });
}

void user_directory::load(byte_reader& in) {
  auto handles = in.take_count(2, UINT32_MAX);
  free_.resize(in.take_count(sizeof(uint32_t), handles));
  std::vector<bool> is_free(handles);
  for (auto& handle : free_) {
    handle = in.take<uint32_t>();
    if (!in.expect(handle < handles && !is_free[handle],
                   "a handle is free twice"))
      return;
    is_free[handle] = true;
  }
  places_.resize(handles);
  for (uint32_t handle = 0; handle < handles && in.ok(); ++handle) {
    if (is_free[handle])
      continue;
    auto name = in.take_text();
    if (!in.expect(is_token(name) && !find(name), "a user's name is illegal"))
      return;
    if ((size_ + 1) * 8 > slots_.size() * 7)
      grow();
    auto slot = slot_of(name);
    places_[handle] = names_.add(name);
    slots_[slot] = handle;
    ++size_;
  }
}

std::optional<std::string> user_directory::check_invariants() const {
  size_t used = 0;
  for (size_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot] == empty)
      continue;
    ++used;
    if (slot_of(name_of(user_handle{slots_[slot]})) != slot)
      return "a user is not found under its name";
  }
  if (used != size_ || used + free_.size() != places_.size())
    return "the handles do not add up";
  if (used * 8 > slots_.size() * 7)
    return "the slots are too full";
  return std::nullopt;
}

} // namespace fantail
