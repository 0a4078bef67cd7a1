// SPDX-License-Identifier: MIT
#pragma once

#include "actors/environment.hpp"
#include "messages/protocol.hpp"

#include <caf/actor_cast.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduled_actor.hpp>

#include <exception>
#include <string>

namespace fantail {

/// Makes an actor robust against the defaults of CAF 0.17, where an
/// unexpected message kills its *sender*, an error message kills its receiver,
/// and the text of an exception is lost. Call it first in every behaviour.
template <class Actor>
void install_handlers(Actor* self, const environment& env) {
  auto* name = self->state.name;
  self->set_default_handler(
      [env, name](caf::scheduled_actor* me,
                  caf::message_view&) -> caf::result<caf::message> {
        env.counts->events.add(std::string{name} + "/unexpected-message");
        if (me->current_message_id().is_request())
          return caf::sec::unexpected_message;
        return caf::make_message();
      });
  self->set_error_handler([env, name](caf::scheduled_actor*, caf::error&) {
    env.counts->events.add(std::string{name} + "/error-message");
  });
  self->set_exception_handler(
      [env, name](caf::scheduled_actor*, std::exception_ptr& thrown) {
        std::string text = "unknown exception";
        try {
          std::rethrow_exception(thrown);
        } catch (const std::exception& x) {
          text = x.what();
        } catch (...) {
          // The text above says it.
        }
        env.reports->error(name, "actor-failed", {{"reason", text}});
        return caf::make_error(caf::sec::runtime_error, text);
      });
}

/// Samples how long a message waited in the mailbox: a tick carries the time
/// at which it was sent.
inline void sample_wait(const environment& env, const char* actor,
                        const tick& x) {
  env.counts->waits.record(actor, to_ns(env.clock->now()) - to_ns(x.now));
}

/// The sender of the current message as a typed handle. Actors of one node
/// learn each other from the first message, which spares wiring in circles.
template <class Handle, class Actor>
Handle sender_of_current(Actor* self) {
  return caf::actor_cast<Handle>(self->current_sender());
}

} // namespace fantail
