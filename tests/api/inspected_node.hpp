// SPDX-License-Identifier: MIT
#pragma once

#include "core/instance_directory.hpp"
#include "core/telemetry.hpp"
#include "messages/inspection.hpp"

#include <memory>

namespace fantail {

/// A node of two shards as an inspection would find it.
struct inspected_node {
  telemetry::node counts{2, 2, 1};
  instance_directory instances;

  inspected_node() {
    for (auto* name : {"notif-000", "notif-001", "notif-002"})
      instances.intern(name);
    counts.shard[1].lag.set(7);
  }

  std::shared_ptr<inspection> inspect(size_t top) const {
    auto result = std::make_shared<inspection>(5, top);
    // In the order in which actors happen to answer.
    result->add(second_shard());
    result->add(first_shard());
    presence_ledger::statistics ledger;
    ledger.users_online = 100;
    ledger.sessions = 130;
    ledger.zombies = 3;
    ledger.sessions_by_instance = {70, 0, 60};
    result->add(inspection::presence_view{presence_shard_id{0}, {}, 0, ledger});
    ledger.sessions_by_instance = {130};
    result->add(inspection::presence_view{presence_shard_id{1}, {}, 0, ledger});
    result->add(
        {{"notif-002", delivery_format::frame, "i-7f3a", true, 12, 3400, 560},
         {"notif-000", delivery_format::single, "", false, 0, 0, 0}});
    return result;
  }

private:
  static inspection::shard_view first_shard() {
    inspection::shard_view x;
    x.shard = shard_id{0};
    x.epoch = epoch{3};
    x.routed_to = position{1041};
    x.settled_to = position{1040};
    x.digest = 0xffff'ffff'ffff'fff0;
    x.table.channels = 60;
    x.table.memberships = 300;
    x.table.channels_by_size = {50, 8, 1, 1};
    x.table.top_channels
        = {{"general", 20'000, 3}, {"busy", 1'500, 2}, {"tie-a", 900, 1}};
    x.table.row_bytes = 4000;
    return x;
  }

  static inspection::shard_view second_shard() {
    inspection::shard_view x;
    x.shard = shard_id{1};
    x.epoch = epoch{4};
    x.routed_to = position{80};
    x.settled_to = position{73};
    x.digest = 0x1f;
    x.departures = 5;
    x.table.channels = 40;
    x.table.memberships = 100;
    x.table.channels_by_size = {37, 2, 1, 0};
    x.table.top_channels
        = {{"random", 5'000, 3}, {"tie-b", 900, 1}, {"small", 3, 1}};
    x.table.user_bytes = 1000;
    return x;
  }
};

} // namespace fantail
