// SPDX-License-Identifier: MIT
#pragma once

#include "core/inspection/actor_record.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/monitorable_actor.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fantail {

/// Where a restartable actor sits. Everybody else holds the handle of the seat,
/// which never changes; the seat passes messages on to whoever sits there.
/// While nobody does, it holds them: what came in before a restart is handled
/// after it, in the same order. It also keeps the state that outlives the
/// actor.
///
///     senders ──► seat ──► mailbox of the actor ──(it ends)──► seat ──► next
///
/// Thread safe. What it holds is bounded as a mailbox is, by the credit of
/// those who send: a restart is a slow handler to them. Ticks are not held.
///
/// A seat can be suspended: then messages are held although somebody sits
/// there, but for those of operators and those to the actor in person.
class seat : public caf::monitorable_actor {
public:
  explicit seat(caf::actor_config& cfg) : caf::monitorable_actor(cfg) {}

  void enqueue(caf::mailbox_element_ptr what,
               caf::execution_unit* host) override;
  const char* name() const override { return "seat"; }

  /// Nobody sits here, is about to, or is just leaving.
  bool is_vacant() const;

  /// For one who will sit here soon; false if the seat is not vacant. Before
  /// that actor is spawned, since it begins in its own time.
  bool reserve();

  /// The state of those who sit here; `make` makes it if there is none yet.
  std::shared_ptr<void> keep(std::shared_ptr<void> (*make)());

  /// What is known of those who sit here, whoever that is.
  actor_record& record() noexcept { return *record_; }
  const std::shared_ptr<actor_record>& shared_record() const noexcept {
    return record_;
  }

  /// False if it is suspended already.
  bool suspend();
  /// Passes on what is held. False if it is not suspended.
  bool resume();

  // -- for the one who sits here ----------------------------------------------

  /// REQUIRES: it was reserved.
  void take(caf::strong_actor_ptr who);
  /// It ended before it sat down.
  void release();
  /// Nothing is passed on from now on. The seat is vacant after `give_back`.
  void vacate();
  /// Takes back what was not handled; it comes before everything held.
  void give_back(std::vector<caf::mailbox_element_ptr> unread,
                 bool was_interrupted);
  /// Whether one failed amid a message, and nobody recovered from it since.
  bool was_interrupted() const;
  void recovered();

  /// Ends all that: nothing is held any more, nobody sits down, and no state is
  /// kept.
  void close();

private:
  void hold(caf::mailbox_element_ptr x);
  void pass_on_held();

  mutable std::mutex mutex_;
  caf::strong_actor_ptr occupant_;
  std::vector<caf::mailbox_element_ptr> held_;
  std::shared_ptr<void> kept_;
  bool was_interrupted_ = false;
  bool is_closed_ = false;
  /// Somebody will sit here, or is leaving.
  bool is_reserved_ = false;
  bool is_suspended_ = false;
  std::shared_ptr<actor_record> record_ = std::make_shared<actor_record>();
};

/// A reference to a seat, or to none.
class place {
public:
  place() = default;
  static place make(caf::actor_system& system);

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  seat* operator->() const noexcept {
    return static_cast<seat*>(caf::actor_cast<caf::abstract_actor*>(handle_));
  }

  /// What others send to.
  template <class Handle>
  Handle as() const {
    return caf::actor_cast<Handle>(handle_);
  }

private:
  caf::strong_actor_ptr handle_;
};

/// Whether a message concerns one actor and not its successor.
bool is_personal(const caf::mailbox_element& x);

/// Whether it came from an operator, and has nothing to do with the state.
bool is_of_operator(const caf::mailbox_element& x);

} // namespace fantail
