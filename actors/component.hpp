// SPDX-License-Identifier: MIT
#pragma once

#include "actors/environment.hpp"
#include "actors/handled_message.hpp"
#include "messages/protocol.hpp"
#include "messages/supervision.hpp"
#include "messages/wall_clock.hpp"

#include <caf/actor_cast.hpp>
#include <caf/atom.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/intrusive/task_result.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace fantail {

/// Thrown by a state that cannot be trusted any more. Its supervisor gives up,
/// and in the end the process begins anew from what is stored.
struct state_damaged : std::logic_error {
  using std::logic_error::logic_error;
};

/// The category of the error that says so.
inline constexpr caf::atom_value hopeless_end = caf::atom("hopeless");

/// What an actor knows of the place where it sits, if it has one.
class occupant {
public:
  virtual ~occupant() = default;

  const place& where() const noexcept { return where_; }

  /// The message at hand made the actor fail. The next one tries it again if
  /// it `is_kept`: to leave it out would be a loss, and if it fails every time,
  /// the supervisor gives up and says why.
  void interrupted_by(const caf::mailbox_element& x, bool is_kept) {
    if (!where_ || is_of_operator(x))
      return;
    was_interrupted_ = true;
    if (is_kept && !is_personal(x))
      unread_.push_back(copy_of(x));
  }

protected:
  static caf::mailbox_element_ptr copy_of(const caf::mailbox_element& x) {
    return caf::make_mailbox_element(x.sender, x.mid, x.stages,
                                     x.copy_content_to_message());
  }

  /// Collects what is in a mailbox; CAF puts the names of its queues in front.
  struct collector {
    std::vector<caf::mailbox_element_ptr>& into;

    void operator()(const caf::mailbox_element& x) const {
      if (!is_personal(x))
        into.push_back(copy_of(x));
    }

    template <class Key, class Queue, class... Ts>
    caf::intrusive::task_result operator()(const Key&, const Queue&,
                                           const Ts&... xs) const {
      (*this)(xs...);
      return caf::intrusive::task_result::resume;
    }
  };

  /// Reads of other threads begin once both are set.
  std::atomic<vitals*> signs_ = nullptr;
  const clock_port* clock_ = nullptr;
  place where_;
  std::vector<caf::mailbox_element_ptr> unread_;
  bool was_interrupted_ = false;
  bool is_seated_ = false;
  bool was_told_ = false;
  bool has_ended_ = false;
};

/// Whether an actor that ends so did as it was told, or was done.
inline bool is_orderly(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal
         || reason == caf::exit_reason::user_shutdown;
}

/// Why an actor ended, for people.
inline std::string cause_of(const caf::actor_system& system,
                            const caf::error& reason) {
  return reason.category() == hopeless_end
             ? reason.context().get_as<std::string>(0)
             : system.render(reason);
}

/// An actor with a place: when it ends, however it does, what it has not
/// handled goes back there.
template <class Handle, class State>
class seated_actor : public caf::stateful_actor<State, typename Handle::base>,
                     public occupant {
public:
  using super = caf::stateful_actor<State, typename Handle::base>;
  using handle_type = Handle;

  explicit seated_actor(caf::actor_config& cfg) : super(cfg) {}

  /// Others learn the place from now on instead of the actor, and what it does
  /// is noted there.
  void belong_to(const environment& env) {
    where_ = env.seat;
    clock_ = env.clock;
    if (where_) {
      where_->record().kind = State::name;
      signs_ = &where_->record().signs;
    }
  }

  /// From now on messages to the place arrive here.
  void sit() {
    if (!where_)
      return;
    is_seated_ = was_told_ = true;
    where_->record().journal.add(actor_journal::kind::started, unix_now_ns());
    where_->take(caf::strong_actor_ptr{this->ctrl()});
  }

  using super::enqueue;
  void enqueue(caf::mailbox_element_ptr x, caf::execution_unit* host) override {
    if (auto* signs = signs_.load(std::memory_order_acquire))
      signs->arrived();
    super::enqueue(std::move(x), host);
  }

  using super::consume;
  caf::invoke_message_result consume(caf::mailbox_element& x) override {
    auto* signs = signs_.load(std::memory_order_relaxed);
    if (!signs)
      return super::consume(x);
    handled_message scope{*signs, *clock_, x};
    return super::consume(x);
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    if (where_)
      note_end(reason);
    if (std::exchange(is_seated_, false)) {
      where_->vacate();
      take_unread();
      where_->record().signs.emptied();
      where_->give_back(std::move(unread_), was_interrupted_);
    } else if (where_ && !std::exchange(was_told_, true)) {
      where_->release();
    }
    return super::cleanup(std::move(reason), host);
  }

private:
  void note_end(const caf::error& reason) {
    using kind = actor_journal::kind;
    if (std::exchange(has_ended_, true))
      return;
    where_->record().journal.add(
        is_orderly(reason) ? kind::ended : kind::failed, unix_now_ns(),
        cause_of(this->system(), reason));
  }

  void take_unread() {
    auto& box = this->mailbox();
    if (box.closed())
      return;
    box.close();
    this->get_normal_queue().flush_cache();
    this->get_urgent_queue().flush_cache();
    collector each{unread_};
    while (box.queue().new_round(1000, each).consumed_items > 0) {
      // Each round takes some more.
    }
  }
};

/// The state of a `component`, which its place keeps for the next one.
template <class State>
struct kept_state {
  static inline const char* name = State::name;
  /// Whether a message that made the actor fail is tried again. A state whose
  /// senders ask again by themselves has `leaves_out_failed`.
  static constexpr bool keeps_failed = !requires { State::leaves_out_failed; };
  struct box {
    State state;
    bool is_begun = false;
  };
  std::shared_ptr<box> kept;
};

/// An actor whose state and mailbox outlive it, if it has a place.
template <class Handle, class State>
using component = seated_actor<Handle, kept_state<State>>;

template <class Actor>
constexpr bool keeps_failed() {
  if constexpr (requires { decltype(Actor::state)::keeps_failed; })
    return decltype(Actor::state)::keeps_failed;
  else
    return true;
}

/// Answers an operator's question about the state of `self`.
template <class Actor>
void describe_self(Actor* self, const describe_actor& x) {
  json::object result;
  if constexpr (requires { self->state.kept->state.describe(result); }) {
    if (self->state.kept)
      self->state.kept->state.describe(result);
  } else if constexpr (requires { self->state.describe(result); }) {
    self->state.describe(result);
  }
  x.into->add({std::move(result)});
}

/// How an actor is called in reports: its path, or its kind if it has none.
inline std::string id_of(const environment& env, const char* name) {
  return env.seat && !env.seat->record().id.empty() ? env.seat->record().id
                                                    : name;
}

/// Here and now, for those who follow an event.
inline trace_log::scene scene_of(const environment& env, const char* name) {
  return {id_of(env, name), to_ns(env.clock->now())};
}

/// Publishes what the state of an actor takes; about once per second.
inline void tell_bytes(const environment& env, size_t bytes) {
  if (!env.seat)
    return;
  env.seat->record().bytes.set(bytes);
  env.seat->record().knows_bytes = true;
}

/// Nobody could take the message at hand.
inline void note_unexpected(const environment& env, const char* name,
                            caf::scheduled_actor& self) {
  auto* x = self.current_mailbox_element();
  env.counts->letters.add("unexpected_message", id_of(env, name),
                          x ? name_of(kind_of(*x)) : "", "", unix_now_ns());
}

/// Makes an actor robust against the defaults of CAF 0.17, where an
/// unexpected message kills its *sender*, an error message kills its receiver,
/// and the text of an exception is lost. Call it first in every behaviour.
template <class Actor>
void install_handlers(Actor* self, const environment& env) {
  auto* name = self->state.name;
  self->set_default_handler(
      [env, name, self](caf::scheduled_actor* me,
                        caf::message_view& x) -> caf::result<caf::message> {
        auto& content = x.content();
        if (content.match_elements<fail_on_purpose>())
          throw std::runtime_error("failed on purpose");
        if (content.match_elements<hang_on_purpose>()) {
          std::this_thread::sleep_for(content.get_as<hang_on_purpose>(0).time);
          return caf::make_message();
        }
        if (content.match_elements<describe_actor>()) {
          describe_self(self, content.get_as<describe_actor>(0));
          return caf::make_message();
        }
        note_unexpected(env, name, *me);
        env.counts->events.add(std::string{name} + "/unexpected-message");
        if (me->current_message_id().is_request())
          return caf::sec::unexpected_message;
        return caf::make_message();
      });
  self->set_error_handler([env, name](caf::scheduled_actor* me, caf::error& x) {
    env.counts->events.add(std::string{name} + "/error-message");
    env.counts->letters.add("error_message", id_of(env, name), "error",
                            me->system().render(x), unix_now_ns());
  });
  self->set_exception_handler([env, name, self](caf::scheduled_actor* me,
                                                std::exception_ptr& thrown) {
    std::string text = "unknown exception";
    auto is_hopeless = false;
    try {
      std::rethrow_exception(thrown);
    } catch (const state_damaged& x) {
      text = x.what();
      is_hopeless = true;
    } catch (const std::exception& x) {
      text = x.what();
    } catch (...) {
      // The text above says it.
    }
    if constexpr (std::is_base_of_v<occupant, Actor>)
      if (auto* x = me->current_mailbox_element())
        self->interrupted_by(*x, keeps_failed<Actor>());
    env.reports->error(name, "actor-failed",
                       {{"actor", id_of(env, name)}, {"reason", text}});
    return is_hopeless ? caf::error{1, hopeless_end, caf::make_message(text)}
                       : caf::make_error(caf::sec::runtime_error, text);
  });
}

/// Begins, or goes on with what the place has kept. After its last actor failed
/// amid a message (not between two), a state has to say in `recover` that it is
/// whole, and throw if it is not known to be.
template <class Handle, class State, class Deps>
State& enter(component<Handle, State>* self, Deps deps) {
  install_handlers(self, deps.env);
  auto where = deps.env.seat;
  self->belong_to(deps.env);
  using box = typename kept_state<State>::box;
  auto make = [] {
    return std::shared_ptr<void>{std::make_shared<box>()};
  };
  self->state.kept
      = std::static_pointer_cast<box>(where ? where->keep(make) : make());
  auto& [state, is_begun] = *self->state.kept;
  auto is_first = state.self == nullptr;
  state.self = self;
  if (is_first)
    state.start(std::move(deps));
  else if (!is_begun)
    throw std::logic_error("its first start failed");
  else if (where->was_interrupted()) {
    state.recover();
    where->recovered();
  }
  is_begun = true;
  self->sit();
  return state;
}

/// Samples how long a message waited in the mailbox: a tick carries the time
/// at which it was sent.
inline void sample_wait(const environment& env, const char* actor,
                        const tick& x) {
  env.counts->waits.record(actor, to_ns(env.clock->now()) - to_ns(x.now));
}

/// The sender of the current message as a typed handle, or rather its place.
/// Actors of one node learn each other from the first message, which spares
/// wiring in circles.
template <class Handle, class Actor>
Handle sender_of_current(Actor* self) {
  auto& sender = self->current_sender();
  if (!sender)
    return Handle{};
  auto* actor = caf::actor_cast<caf::abstract_actor*>(sender);
  if (auto* seated = dynamic_cast<occupant*>(actor); seated && seated->where())
    return seated->where().template as<Handle>();
  return caf::actor_cast<Handle>(sender);
}

/// How others reach the actor of `state`, now and after a restart.
template <class State>
auto handle_of(const State& state) {
  using handle = typename State::handle;
  auto& where = state.deps.env.seat;
  return where ? where.template as<handle>() : handle{state.self};
}

} // namespace fantail
