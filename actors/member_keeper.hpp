// SPDX-License-Identifier: MIT
#pragma once

#include "actors/environment.hpp"
#include "core/membership/membership.hpp"
#include "messages/protocol.hpp"

#include <functional>
#include <memory>
#include <string>

namespace fantail {

/// What a keeper needs of its presence shard.
struct member_keeper_deps {
  environment env;
  presence_shard_id shard;
  membership_config config;
  /// What the last life left behind, or nothing.
  std::shared_ptr<membership> restored;
  member_store_port* store = nullptr;
  presence_shard_actor owner;
  const presence_ledger* ledger = nullptr;
  /// Asks the log to evict a user.
  std::function<void(user_handle)> evict;
};

/// The part of a presence shard that carries out what its membership wants,
/// and hands it what the members store answers. No actor of its own: who is
/// in which channel has to be known in step with the log.
class member_keeper {
public:
  explicit member_keeper(member_keeper_deps deps);

  membership& members() noexcept { return members_; }
  const membership& members() const noexcept { return members_; }

  /// All records of the store are known; before, no record of the log must be
  /// applied.
  bool is_open() const noexcept { return is_open_; }

  // What the store answered.
  void on_found(const members_found& x);
  void on_read(const member_read& x, time_point now);
  void on_appended(const member_appended& x, time_point now);

  /// Has the store do what is due, and reports what was lost.
  void pump(time_point now);

  void publish_counts(telemetry::presence& to) const;

private:
  void scan();
  void report_lost();

  member_keeper_deps deps_;
  membership members_;
  member_work work_;
  uint64_t scanned_to_ = 0;
  uint64_t damaged_ = 0;
  bool is_open_ = false;
  bool is_scanning_ = false;
  time_point scan_again_at_{};
  /// When a scan began or brought something.
  time_point heard_at_{};
};

} // namespace fantail
