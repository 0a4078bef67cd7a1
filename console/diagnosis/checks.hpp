// SPDX-License-Identifier: MIT
#pragma once

#include "console/diagnosis/diagnosis.hpp"

/// The questions one by one; see diagnose().
namespace fantail::console {

finding check_health(const observation& x);
finding check_latency(const observation& x);
finding check_lag(const observation& x);
finding check_waits(const observation& x);
finding check_actors(const observation& x);
finding check_restarts(const observation& x);
finding check_hot_channel(const observation& x);
finding check_large_channel(const observation& x);
finding check_memory(const observation& x);
finding check_instances(const observation& x);
finding check_losses(const observation& x);

/// Actors in the list that satisfy `is_wanted`.
template <class Predicate>
std::vector<const json::value*> actors_where(const observation& x,
                                             Predicate is_wanted) {
  std::vector<const json::value*> result;
  if (auto* all = x.actors.find("actors"))
    if (auto* list = all->if_array())
      for (auto& a : *list)
        if (is_wanted(a))
          result.push_back(&a);
  return result;
}

/// The actor of that id, or nullptr.
const json::value* find_actor(const observation& x, const std::string& id);

/// "routing/shard-3 ended 5 s ago, back after 3.1 ms: why"
std::string tell_restart(const json::value& actor, int64_t now_unix_ns);

/// Whether it ended within the last ten minutes.
bool ended_lately(const json::value& actor, int64_t now_unix_ns);

} // namespace fantail::console
