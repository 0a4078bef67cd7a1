// SPDX-License-Identifier: MIT
#pragma once

#include "actors/place.hpp"
#include "core/inspection/actor_control.hpp"
#include "core/inspection/actor_directory.hpp"

#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace fantail {

/// Reaches actors through their seats: the hand of the operators. Orders and
/// questions are messages; nothing here touches an actor itself. Thread safe.
class seat_control final : public actor_control_port {
public:
  /// `directory` learns of every seat that is entered, and outlives this.
  explicit seat_control(actor_directory& directory) : directory_(directory) {}

  /// An actor will sit at `where`, as `supervisor`/`name`; without a supervisor
  /// it is the root.
  void enter(const place& where, const std::string& supervisor,
             const std::string& name, bool is_supervisor);

  control_result kill(std::string_view id, kill_mode mode,
                      duration hang_for) override;
  control_result suspend(std::string_view id) override;
  control_result resume(std::string_view id) override;
  std::optional<json::object> describe(std::string_view id,
                                       duration timeout) override;

private:
  struct entry {
    place where;
    bool is_supervisor = false;
  };

  /// Without a place if there is no such actor.
  entry find(std::string_view id) const;

  actor_directory& directory_;
  mutable std::mutex mutex_;
  std::map<std::string, entry, std::less<>> entries_;
};

} // namespace fantail
