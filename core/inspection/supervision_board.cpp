// SPDX-License-Identifier: MIT
#include "core/inspection/supervision_board.hpp"

namespace fantail {

supervision_board::state board_of(supervisor_machine& machine, time_point now) {
  supervision_board::state result;
  result.strategy = machine.spec().strategy;
  result.intensity = machine.spec().intensity;
  result.recent_restarts = machine.recent_restarts(now);
  for (size_t i = 0; i < machine.size(); ++i) {
    auto x = machine.view(i, now);
    result.children.push_back({x.spec->id, x.spec->restart, x.phase,
                               now + x.pause_left, std::string{x.last_cause}});
  }
  return result;
}

} // namespace fantail
