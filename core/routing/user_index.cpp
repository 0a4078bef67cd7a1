// SPDX-License-Identifier: MIT
#include "core/routing/user_index.hpp"

#include "core/limits.hpp"
#include "core/routing/row_list.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace fantail {

user_index::record& user_index::make(user_key user) {
  if (user.home.value >= homes_.size())
    homes_.resize(user.home.value + 1u);
  return homes_[user.home.value].make(user.user.value);
}

const user_index::record* user_index::find(user_key user) const noexcept {
  return user.home.value < homes_.size()
             ? homes_[user.home.value].find(user.user.value)
             : nullptr;
}

// -- rows

void user_index::rows_of(user_key user, std::vector<row_id>& out) const {
  auto* x = find(user);
  if (x && x->rows != slab_pool::none)
    row_list::decode(lists_.at(x->rows), out);
}

bool user_index::has_row(user_key user, row_id row) const {
  auto* x = find(user);
  return x && x->rows != slab_pool::none
         && row_list::contains(lists_.at(x->rows), row);
}

void user_index::assign_rows(user_key user, std::span<const row_id> rows) {
  assert(std::ranges::is_sorted(rows));
  auto& x = make(user);
  if (x.rows != slab_pool::none)
    memberships_ -= row_list::count(lists_.at(x.rows));
  memberships_ += rows.size();
  auto bytes = rows.empty() ? 0 : row_list::encoded_size(rows);
  auto has = x.rows == slab_pool::none ? 0 : lists_.capacity(x.rows);
  if (has != (bytes == 0 ? 0 : slab_pool::rounded(bytes))) {
    if (has > 0)
      lists_.release(x.rows);
    x.rows = bytes == 0 ? slab_pool::none : lists_.allocate(bytes);
  }
  if (bytes > 0)
    row_list::encode(rows, lists_.at(x.rows));
}

// -- instances

bool user_index::is_on(const record& x, user_key user,
                       uint16_t instance) const {
  if (x.first != in_many)
    return x.first == instance || x.second == instance;
  auto& list = many_.at(many_key(user));
  return std::ranges::find(list, instance_index{instance}) != list.end();
}

bool user_index::is_online(user_key user) const noexcept {
  auto* x = find(user);
  return x && x->first != nowhere;
}

void user_index::instances_of(user_key user,
                              std::vector<instance_index>& out) const {
  auto* x = find(user);
  if (!x || x->first == nowhere)
    return;
  if (x->first == in_many) {
    auto& list = many_.at(many_key(user));
    out.insert(out.end(), list.begin(), list.end());
    return;
  }
  out.push_back(instance_index{x->first});
  if (x->second != nowhere)
    out.push_back(instance_index{x->second});
}

bool user_index::add_instance(user_key user, instance_index instance) {
  assert(instance.value < limits::instances_max);
  auto& x = make(user);
  if (is_on(x, user, instance.value))
    return false;
  if (x.first == nowhere) {
    x.first = instance.value;
    ++online_;
  } else if (x.first == in_many) {
    many_.at(many_key(user)).push_back(instance);
  } else if (x.second == nowhere) {
    x.second = instance.value;
  } else {
    many_[many_key(user)]
        = {instance_index{x.first}, instance_index{x.second}, instance};
    x.first = in_many;
  }
  if (instance.value >= users_on_.size())
    users_on_.resize(instance.value + 1u);
  ++users_on_[instance.value];
  return true;
}

bool user_index::remove_instance(user_key user, instance_index instance) {
  auto* found = find(user);
  if (!found || !is_on(*found, user, instance.value))
    return false;
  auto& x = make(user);
  if (x.first == in_many) {
    remove_from_many(x, user, instance);
  } else {
    if (x.first == instance.value)
      x.first = x.second;
    x.second = nowhere;
    online_ -= x.first == nowhere;
  }
  --users_on_[instance.value];
  return true;
}

void user_index::remove_from_many(record& x, user_key user,
                                  instance_index instance) {
  auto i = many_.find(many_key(user));
  std::erase(i->second, instance);
  if (i->second.size() > 2)
    return;
  x.first = i->second[0].value;
  x.second = i->second[1].value;
  many_.erase(i);
}

// -- inspection

size_t user_index::byte_count() const noexcept {
  auto result = lists_.byte_count() + homes_.capacity() * sizeof(homes_[0])
                + users_on_.capacity() * sizeof(uint32_t)
                + many_.bucket_count() * sizeof(void*);
  for (auto& home : homes_)
    result += home.byte_count();
  for (auto& entry : many_)
    result += sizeof(entry) + 16
              + entry.second.capacity() * sizeof(instance_index) + 16;
  return result;
}

bool user_index::check_invariants() const {
  uint64_t memberships = 0, online = 0;
  bool good = true;
  std::vector<uint32_t> users_on(users_on_.size());
  std::vector<row_id> rows;
  std::vector<instance_index> instances;
  for_each([&](user_key user) {
    rows.clear();
    rows_of(user, rows);
    memberships += rows.size();
    for (size_t i = 1; i < rows.size(); ++i)
      good &= rows[i - 1] < rows[i];
    instances.clear();
    instances_of(user, instances);
    online += !instances.empty();
    for (auto x : instances)
      ++users_on.at(x.value);
    good &= (find(user)->first == in_many) == (instances.size() > 2);
  });
  return good && memberships == memberships_ && online == online_
         && users_on == users_on_ && lists_.check_invariants();
}

} // namespace fantail
