// SPDX-License-Identifier: MIT
#pragma once

#include "core/ids.hpp"
#include "core/instance_directory.hpp"
#include "core/snapshot/byte_reader.hpp"
#include "core/snapshot/byte_writer.hpp"

#include <vector>

namespace fantail {

/// Writes the names of all instances in the order of their numbers: numbers
/// never leave a process, so what refers to them travels with the names.
void save_instances(const instance_directory& from, byte_writer& out);

/// Reads names and enters them into `into`. Returns the number that each of
/// them has now; fails `in` if there are too many or one is no token.
std::vector<instance_index> load_instances(byte_reader& in,
                                           instance_directory& into);

} // namespace fantail
