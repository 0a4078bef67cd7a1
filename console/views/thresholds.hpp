// SPDX-License-Identifier: MIT
#pragma once

/// From where on a figure is worth a look (warn), and from where on somebody
/// should do something (alarm): the service levels Fantail promises.
namespace fantail::console {

inline constexpr double never_ns = 1e300;

/// From the read of an event to its handing over to NATS.
inline constexpr double latency_p99_warn_ns = 5e6;
inline constexpr double latency_p99_alarm_ns = 20e6;

/// Waits in a mailbox: what a scheduler's stall looks like.
inline constexpr double wait_p99_warn_ns = 10e6;
inline constexpr double wait_p99_alarm_ns = 50e6;

/// Events that are not settled.
inline constexpr double lag_warn = 1'000;
inline constexpr double lag_alarm = 10'000;

/// Of a presence change, until the tables know.
inline constexpr double presence_p99_warn_ns = 50e6;
inline constexpr double presence_p99_alarm_ns = 200e6;

/// Share of node.memory-limit.
inline constexpr double memory_share_warn = 0.75;

/// Share of its time an actor spends in handlers.
inline constexpr double busy_warn = 0.7;
inline constexpr double busy_alarm = 0.9;

/// Share of all deliveries one channel takes.
inline constexpr double hot_share_warn = 0.25;
/// Below so many deliveries per second nothing is hot.
inline constexpr double hot_cost_least = 1'000;
/// Online members from which on a channel should be split.
inline constexpr double members_alarm = 50'000;

} // namespace fantail::console
