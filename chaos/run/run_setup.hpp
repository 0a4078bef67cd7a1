// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/history/record.hpp"
#include "chaos/run/run.hpp"
#include "chaos/run/world.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What follows from the options of a run.
namespace fantail::chaos {

world_config world_of(const chaos_options& x);

/// What a history says about its run.
history_head head_of(const run_options& options);

/// The settings of the node, those of the user last. A disk in memory is not as
/// large as another one.
std::vector<std::string> node_settings_of(const chaos_options& x,
                                          uint16_t shards,
                                          bool has_disk_in_memory);

} // namespace fantail::chaos
