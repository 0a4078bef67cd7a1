// SPDX-License-Identifier: MIT
// The part of an outbox that only instances of the format `single` use.
#include "core/delivery/outbox.hpp"

#include <algorithm>
#include <utility>

namespace fantail {

outbox::flushed outbox::flush_single(bus_port& out, const std::string& subject,
                                     instance_index index) {
  flushed result;
  if (is_absent_ && is_asking_)
    return result;
  for (size_t i = 0; i < pending_.size(); ++i) {
    auto& x = pending_[i];
    if (!x.source)
      continue;
    auto event = (*x.source)[x.event];
    auto asks = (is_absent_ || std::exchange(asks_soon_, false))
                && !std::exchange(is_asking_, true);
    auto done
        = asks ? out.publish_asking(subject, event.body, event.headers, index)
               : out.publish(subject, event.body, event.headers);
    if (!done) {
      result.link_failed = true;
      break;
    }
    ++result.messages;
    result.bytes += event.body.size() + event.headers.size();
    result.has_asked = result.has_asked || asks;
    if (asks && is_absent_) {
      asked_entry_ = i;
      asked_entries_ = pending_.size();
      return result;
    }
  }
  forget_pending();
  return result;
}

size_t outbox::answered() {
  if (!std::exchange(is_asking_, false))
    return 0;
  is_absent_ = std::exchange(was_unheard_, false);
  // The question is settled either way; those behind it would have met the
  // same silence.
  auto begin = std::min(asked_entry_, asked_entries_);
  auto end = is_absent_ ? asked_entries_ : std::min(begin + 1, asked_entries_);
  auto before = live_entries_;
  for (size_t i = begin; i < end; ++i)
    if (pending_[i].source)
      take_out(pending_[i]);
  asked_entries_ = 0;
  if (!is_absent_)
    return 0;
  pending_.erase(pending_.begin(),
                 pending_.begin() + static_cast<ptrdiff_t>(end));
  auto is_needed = [this](const pull_ptr& x) {
    return std::any_of(pending_.begin(), pending_.end(),
                       [&x](auto& y) { return y.source == x.get(); });
  };
  std::erase_if(kept_, [&](auto& x) { return !is_needed(x); });
  return before - live_entries_;
}

void outbox::link_lost() {
  is_asking_ = was_unheard_ = false;
  // What waits for a verdict may be confirmed already and never come again.
  if (!is_absent_)
    forget_pending();
}

} // namespace fantail
