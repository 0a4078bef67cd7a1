// SPDX-License-Identifier: MIT
// Writing and reading a user_index.
#include "core/limits.hpp"
#include "core/routing/row_list.hpp"
#include "core/routing/row_store.hpp"
#include "core/routing/user_index.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

void user_index::save(byte_writer& out) const {
  out.put_count(homes_.size());
  for (auto& home : homes_)
    home.save(out);
  lists_.save(out);
  out.put_count(many_.size());
  for (auto& [key, list] : many_) {
    out.put(key);
    out.put_count(list.size());
    for (auto instance : list)
      out.put(instance.value);
  }
}

uint64_t user_index::load(byte_reader& in, const channel_dictionary& channels,
                          size_t instances) {
  homes_.resize(in.take_count(1, limits::presence_shards_max));
  for (auto& home : homes_)
    home.load(in);
  lists_.load(in);
  load_many(in, instances);
  for (auto& home : homes_)
    home.for_each([&](size_t, const record& x) {
      in.expect(x.first != nowhere || x.second == nowhere,
                "a user is half online");
    });
  if (!in.ok())
    return 0;
  users_on_.resize(instances);
  slab_audit audit{lists_};
  std::vector<row_id> rows;
  uint64_t sum = 0;
  size_t in_many_found = 0;
  for_each([&](user_key user) {
    if (!in.ok())
      return;
    auto& x = *find(user);
    in_many_found += x.first == in_many;
    rows.clear();
    if (!in.expect(
            is_sound(x, user, instances)
                && (x.rows == slab_pool::none
                    || (audit.claim(x.rows)
                        && row_list::read(lists_.at(x.rows),
                                          lists_.capacity(x.rows), rows))),
            "a user is out of shape"))
      return;
    if (!rows.empty())
      in.expect(rows.size() <= limits::channels_per_user_max
                    && std::ranges::all_of(
                        rows, [&](row_id row) { return channels.in_use(row); }),
                "a user is in a channel that is not there");
    if (in.ok())
      count_in(x, user, rows, sum);
  });
  in.expect(audit.is_complete() && in_many_found == many_.size(),
            "channels or instances of a user belong to nobody");
  return sum;
}

void user_index::load_many(byte_reader& in, size_t instances) {
  constexpr size_t least_bytes = 2 * sizeof(uint64_t) + 3 * sizeof(uint16_t);
  for (auto left = in.take_count(least_bytes); left > 0 && in.ok(); --left) {
    auto& list = many_[in.take<uint64_t>()];
    in.expect(list.empty(), "a user is listed twice");
    list.resize(in.take_count(sizeof(uint16_t), instances));
    for (auto& instance : list)
      instance.value = in.take<uint16_t>();
    auto sorted = list;
    std::ranges::sort(sorted);
    in.expect(list.size() > 2 && sorted.back().value < instances
                  && std::ranges::adjacent_find(sorted) == sorted.end(),
              "a user's instances are out of shape");
  }
}

bool user_index::is_sound(const record& x, user_key user,
                          size_t instances) const {
  if (x.first == in_many)
    return many_.contains(many_key(user));
  if (x.first == nowhere)
    return x.second == nowhere;
  return x.first < instances && x.second != x.first
         && (x.second == nowhere || x.second < instances);
}

/// Adds a user to the statistics, and its memberships to `sum`.
void user_index::count_in(const record& x, user_key user,
                          std::span<const row_id> rows, uint64_t& sum) {
  auto add = [&](uint16_t instance) {
    for (auto row : rows)
      sum += row_store::place_hash(row, instance);
  };
  memberships_ += rows.size();
  online_ += x.first != nowhere;
  add(row_store::anywhere);
  std::vector<instance_index> instances;
  instances_of(user, instances);
  for (auto instance : instances) {
    ++users_on_[instance.value];
    add(instance.value);
  }
}

void user_index::renumber(std::span<const instance_index> numbers) {
  auto renumbered = [&](uint16_t x) {
    return x < numbers.size() ? numbers[x].value : x;
  };
  for_each([&](user_key user) {
    auto& x = make(user);
    x.first = renumbered(x.first);
    x.second = renumbered(x.second);
  });
  for (auto& [key, list] : many_)
    for (auto& instance : list)
      instance = numbers[instance.value];
  auto before = std::exchange(users_on_, {});
  for (size_t i = 0; i < before.size(); ++i) {
    auto number = numbers[i].value;
    if (number >= users_on_.size())
      users_on_.resize(number + 1u);
    users_on_[number] = before[i];
  }
}

} // namespace fantail
