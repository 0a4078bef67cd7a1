// SPDX-License-Identifier: MIT
#pragma once

#include "chaos/checker/checker.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace fantail::test {

using namespace fantail::chaos;
using namespace std::chrono_literals;

/// Feeds a checker by hand. Instances 0 and 1 are of the format `frame`, 2 is
/// of the format `single`.
struct checker_fixture {
  static constexpr auto frame = delivery_format::frame;
  static constexpr auto single = delivery_format::single;

  checker checked{{{frame, frame, single}}};
  time_point now{1h};
  call_number calls = 0;
  event_number events = 0;
  uint64_t positions = 0;

  void take(record x) { checked.take({now += 1ms, std::move(x)}); }

  call_number call(user_number user, presence_call_kind what,
                   instance_number instance,
                   std::vector<channel_number> channels) {
    take(presence_called{++calls, user, what, 0, instance, channels});
    return calls;
  }

  void change(user_number user, presence_call_kind what,
              instance_number instance, std::vector<channel_number> channels) {
    take(presence_answered{call(user, what, instance, channels)});
  }

  event_number publish(channel_number channel) {
    take(publish_called{events, channel});
    take(publish_stored{events, position{++positions}});
    return events++;
  }

  void receive(instance_number instance, event_number event, uint64_t e = 1) {
    take(event_received{instance, event, shard_id{0}, epoch{e}});
  }

  void fault(fault_phase phase, instance_number instance = no_instance) {
    take(fault_marked{1, phase, "something", "", instance});
  }

  findings finish() {
    take(run_ended{});
    checked.finish();
    return checked.result();
  }

  uint64_t count(violation what) { return checked.result().count(what); }
};

} // namespace fantail::test
