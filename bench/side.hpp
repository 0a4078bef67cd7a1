// SPDX-License-Identifier: MIT
#pragma once

#include "bench/bench_context.hpp"
#include "bench/load_generator.hpp"
#include "bench/presence_load.hpp"
#include "bench/receivers.hpp"

#include <memory>
#include <string>

namespace fantail::bench {

struct side_options {
  population_config world;
  bool is_floor = false;
  /// See receiver_options.
  bool measures_latency = true;
  /// Where the members are, if `world` is not of the shape `spread`, and the
  /// file that holds it for the floor.
  const channel_map* members = nullptr;
  std::string map_path = {};
};

/// One side of a comparison with everything around it: a nats-server, the
/// instances, producers and users, and the program.
struct side {
  side(bench_context& context, const side_options& options);

  /// Starts the program, a node, registers the instances, and brings all users
  /// online. Returns the seconds that took the users.
  double fill(bench_context& context);

  test_bed bed;
  receivers sink;
  load_generator source;
  presence_load presence;
  std::unique_ptr<contender> program;
};

channel_placement placement_of(const population_config& world);

} // namespace fantail::bench
