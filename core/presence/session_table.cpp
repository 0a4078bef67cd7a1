// SPDX-License-Identifier: MIT
#include "core/presence/session_table.hpp"

#include <cassert>

namespace fantail {

session_table::slot session_table::add(std::string_view name, user_handle user,
                                       slot& head) {
  auto result = static_cast<slot>(sessions_.size());
  if (free_.empty()) {
    sessions_.emplace_back();
  } else {
    result = free_.back();
    free_.pop_back();
  }
  auto& x = sessions_[result];
  x = session{};
  x.name = names_.add(name);
  x.user = user;
  x.next = head;
  head = result;
  return result;
}

void session_table::remove(slot x, slot& head) {
  auto* link = &head;
  while (*link != x) {
    assert(*link != none);
    link = &sessions_[*link].next;
  }
  *link = sessions_[x].next;
  names_.remove(sessions_[x].name);
  free_.push_back(x);
}

session_table::slot session_table::find(std::string_view name,
                                        slot head) const {
  while (head != none && name_of(head) != name)
    head = sessions_[head].next;
  return head;
}

size_t session_table::byte_count() const noexcept {
  return names_.byte_count() + sessions_.size() * sizeof(session)
         + free_.capacity() * sizeof(slot);
}

} // namespace fantail
