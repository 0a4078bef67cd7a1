// SPDX-License-Identifier: MIT
// Writing, reading and cutting down a routing_table.
#include "core/routing/routing_table.hpp"

namespace fantail {

void routing_table::save(byte_writer& out) const {
  channels_.save(out);
  rows_.save(out);
  users_.save(out);
}

void routing_table::load(byte_reader& in, size_t instances) {
  channels_.load(in);
  rows_.load(in, channels_, instances);
  if (!in.ok())
    return;
  auto sum = users_.load(in, channels_, instances);
  for (row_id row; row.value < channels_.row_bound() && in.ok(); ++row.value)
    if (channels_.in_use(row))
      sum -= rows_.membership_sum(row);
  in.expect(sum == 0, "the rows are not those of the users");
}

void routing_table::renumber(std::span<const instance_index> numbers) {
  rows_.renumber(numbers);
  users_.renumber(numbers);
}

void routing_table::forget(presence_shard_id home,
                           std::vector<vacancy>& vacated) {
  std::vector<user_handle> users;
  users_.for_each([&](user_key user) {
    if (user.home == home)
      users.push_back(user.user);
  });
  for (auto user : users) {
    user_change change;
    change.user = user;
    change.what = user_change::kind::set_channels;
    apply(home, change, vacated);
    change.what = user_change::kind::remove_instance;
    std::vector<instance_index> instances;
    users_.instances_of({home, user}, instances);
    for (auto instance : instances) {
      change.instance = instance;
      apply(home, change, vacated);
    }
  }
}

} // namespace fantail
