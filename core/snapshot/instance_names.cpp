// SPDX-License-Identifier: MIT
#include "core/snapshot/instance_names.hpp"

#include "core/limits.hpp"

#include <algorithm>

namespace fantail {

void save_instances(const instance_directory& from, byte_writer& out) {
  auto count = from.size();
  out.put_count(count);
  for (size_t i = 0; i < count; ++i)
    out.put_text(from.name_of(instance_index{static_cast<uint16_t>(i)}));
}

std::vector<instance_index> load_instances(byte_reader& in,
                                           instance_directory& into) {
  std::vector<instance_index> result;
  for (auto left = in.take_count(2, limits::instances_max); left > 0 && in.ok();
       --left) {
    auto number = into.intern(in.take_text());
    if (in.expect(number.has_value(), "an instance without a legal name"))
      result.push_back(*number);
  }
  auto sorted = result;
  std::ranges::sort(sorted);
  in.expect(std::ranges::adjacent_find(sorted) == sorted.end(),
            "an instance is named twice");
  return result;
}

} // namespace fantail
