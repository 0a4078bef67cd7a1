// SPDX-License-Identifier: MIT
#include "actors/place.hpp"

#include "messages/node.hpp"
#include "messages/operators.hpp"
#include "messages/supervision.hpp"

#include <caf/make_actor.hpp>
#include <caf/system_messages.hpp>

#include <iterator>
#include <utility>

namespace fantail {

bool is_personal(const caf::mailbox_element& x) {
  auto& content = x.content();
  return x.mid.is_response() || content.match_elements<caf::exit_msg>()
         || content.match_elements<caf::down_msg>()
         || content.match_elements<caf::timeout_msg>()
         || content.match_elements<caf::error>() || is_of_operator(x)
         || content.match_elements<tick>();
}

bool is_of_operator(const caf::mailbox_element& x) {
  auto& content = x.content();
  return content.match_elements<fail_on_purpose>()
         || content.match_elements<hang_on_purpose>()
         || content.match_elements<describe_actor>();
}

namespace {

/// Whether a message gets through to an actor that is suspended: time stands
/// still for it, but questions of operators and orders do not.
bool passes_suspension(const caf::mailbox_element& x) {
  auto& content = x.content();
  if (content.match_elements<inspect_node>()
      || content.match_elements<inspect_routes>()
      || content.match_elements<inspect_channels>()
      || content.match_elements<explain_route>()
      || content.match_elements<explain_user>())
    return true;
  return is_personal(x) && !content.match_elements<tick>();
}

} // namespace

void seat::enqueue(caf::mailbox_element_ptr what, caf::execution_unit* host) {
  // Passed on under the lock, so that nothing arrives in a mailbox that was
  // cleared already. To put a message into a mailbox waits for nobody.
  std::lock_guard guard{mutex_};
  if (occupant_ && (!is_suspended_ || passes_suspension(*what)))
    occupant_->get()->enqueue(std::move(what), host);
  else if (!is_closed_ && !is_personal(*what))
    hold(std::move(what));
}

void seat::hold(caf::mailbox_element_ptr x) {
  held_.push_back(std::move(x));
  record_->held.set(held_.size());
}

void seat::pass_on_held() {
  if (!occupant_ || is_suspended_)
    return;
  for (auto& x : std::exchange(held_, {}))
    occupant_->get()->enqueue(std::move(x), nullptr);
  record_->held.set(0);
}

bool seat::suspend() {
  std::lock_guard guard{mutex_};
  record_->is_suspended = true;
  return !std::exchange(is_suspended_, true);
}

bool seat::resume() {
  std::lock_guard guard{mutex_};
  record_->is_suspended = false;
  if (!std::exchange(is_suspended_, false))
    return false;
  pass_on_held();
  return true;
}

bool seat::is_vacant() const {
  std::lock_guard guard{mutex_};
  return !occupant_ && !is_reserved_;
}

bool seat::reserve() {
  std::lock_guard guard{mutex_};
  return !occupant_ && !std::exchange(is_reserved_, true);
}

void seat::release() {
  std::lock_guard guard{mutex_};
  is_reserved_ = false;
}

std::shared_ptr<void> seat::keep(std::shared_ptr<void> (*make)()) {
  std::lock_guard guard{mutex_};
  if (!kept_)
    kept_ = make();
  return kept_;
}

void seat::take(caf::strong_actor_ptr who) {
  std::lock_guard guard{mutex_};
  is_reserved_ = false;
  if (is_closed_)
    return;
  occupant_ = std::move(who);
  record_->is_vacant = false;
  pass_on_held();
}

void seat::vacate() {
  caf::strong_actor_ptr last;
  std::lock_guard guard{mutex_};
  last.swap(occupant_);
  is_reserved_ = true;
  record_->is_vacant = true;
}

void seat::give_back(std::vector<caf::mailbox_element_ptr> unread,
                     bool was_interrupted) {
  std::lock_guard guard{mutex_};
  was_interrupted_ = was_interrupted_ || was_interrupted;
  is_reserved_ = false;
  if (is_closed_)
    return;
  held_.insert(held_.begin(), std::make_move_iterator(unread.begin()),
               std::make_move_iterator(unread.end()));
  record_->held.set(held_.size());
}

bool seat::was_interrupted() const {
  std::lock_guard guard{mutex_};
  return was_interrupted_;
}

void seat::recovered() {
  std::lock_guard guard{mutex_};
  was_interrupted_ = false;
}

void seat::close() {
  std::vector<caf::mailbox_element_ptr> held;
  std::shared_ptr<void> kept;
  std::lock_guard guard{mutex_};
  is_closed_ = true;
  // What is dropped here may hold the last reference to somebody.
  held.swap(held_);
  record_->held.set(0);
  kept.swap(kept_);
}

place place::make(caf::actor_system& system) {
  caf::actor_config cfg;
  place result;
  result.handle_ = caf::make_actor<seat, caf::strong_actor_ptr>(
      system.next_actor_id(), system.node(), &system, cfg);
  return result;
}

} // namespace fantail
