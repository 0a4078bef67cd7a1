// SPDX-License-Identifier: MIT
#include "bench/side.hpp"

#include <fmt/format.h>

namespace fantail::bench {

namespace {

constexpr auto ready_timeout = 60s;

} // namespace

channel_placement placement_of(const population_config& world) {
  return {world.channels, world.instances, world.spread};
}

side::side(bench_context& context, const side_options& options)
    : bed(context.bed_options(context.storage())),
      sink(bed, {options.world.instances, context.format(),
                 options.measures_latency}),
      source(bed, {options.world.channels, 0, context.options().body_bytes, 1,
                   options.members}),
      presence(bed, options.world),
      program(options.is_floor ? context.floor(bed, placement_of(options.world),
                                               options.map_path)
                               : context.node(bed)) {
  // nop
}

double side::fill(bench_context& context) {
  program->launch({});
  program->wait_ready(ready_timeout);
  sink.enroll(ready_timeout);
  auto start = std::chrono::steady_clock::now();
  presence.fill(
      [&](double done) {
        context.progress().detail(fmt::format("{:.0f} %", done * 100));
      },
      context.stop());
  context.check_stop();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

} // namespace fantail::bench
