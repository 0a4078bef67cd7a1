// SPDX-License-Identifier: MIT
#pragma once

#include "bench/floor_options.hpp"

#include <string>
#include <vector>

namespace fantail::bench {

/// The floor of the end-to-end benchmarks: a bare program that pulls from the
/// shards' streams and copies every event to the instances of its channel. It
/// has no table but an array, no actors, no settlement, no acknowledgements
/// and no presence: what is left is what the platform itself costs. One
/// thread, nats.c driven by an event loop, one connection to pull and one to
/// publish.
///
/// Prints the line `{"ready":true}` when its pulls are under way. SIGUSR1 and
/// the end by SIGTERM print what it counted as one line of JSON and begin a new
/// latency window. Its latency runs from the read callback to the return of
/// the socket write that took the last byte. Returns the exit code.
int run_floor(const floor_options& options);

/// The same, with the options as `fantail bench floor` gets them: the words
/// behind it. Returns 2 if they are no floor_options.
int run_floor(const std::vector<std::string>& words);

} // namespace fantail::bench
