// SPDX-License-Identifier: MIT
#pragma once

#include "core/clock.hpp"
#include "core/inspection/vitals.hpp"
#include "messages/node.hpp"

#include <caf/mailbox_element.hpp>
#include <caf/system_messages.hpp>

#include <typeinfo>

namespace fantail {

/// The type of a message. CAF numbers its own and knows ours by `type_info`.
inline const std::type_info& kind_of(const caf::mailbox_element& x) {
  auto& content = x.content();
  if (content.size() == 0)
    return typeid(void);
  if (auto* known = content.type(0).second)
    return *known;
  if (content.match_elements<caf::exit_msg>())
    return typeid(caf::exit_msg);
  if (content.match_elements<caf::down_msg>())
    return typeid(caf::down_msg);
  return typeid(void);
}

/// Notes in an actor's vitals that a message is being handled, for as long as
/// this object lives. Two looks at the clock per message.
class handled_message {
public:
  handled_message(vitals& signs, const clock_port& clock,
                  const caf::mailbox_element& x)
      : signs_(signs), clock_(clock) {
    auto& kind = kind_of(x);
    auto now = to_ns(clock.now());
    // A tick carries when it was sent, which no other message does.
    if (&kind == &typeid(tick))
      signs.waited(now - to_ns(x.content().get_as<tick>(0).now));
    signs.begin(kind, now);
  }
  ~handled_message() { signs_.end(to_ns(clock_.now())); }
  handled_message(const handled_message&) = delete;
  handled_message& operator=(const handled_message&) = delete;

private:
  vitals& signs_;
  const clock_port& clock_;
};

} // namespace fantail
