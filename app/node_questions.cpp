// SPDX-License-Identifier: MIT
#include "app/node_questions.hpp"

#include <caf/send.hpp>

#include <chrono>
#include <utility>

namespace fantail {

std::string new_life_of(const std::string& node) {
  auto age = std::chrono::system_clock::now().time_since_epoch();
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
  return node + "-" + std::to_string(ms);
}

void pass_questions(nats::control_link& link, presence_desk_actor desk) {
  link.listen_to_questions([to = std::move(desk)](
                               bool is_watch, bool is_channel,
                               std::string_view name, const nats::message& x) {
    using asked = presence_asked::kind;
    using about = presence_topic::kind;
    presence_topic topic{is_channel ? about::channel : about::user,
                         std::string{name}};
    caf::anon_send(to, presence_asked{is_watch ? asked::watch : asked::query,
                                      std::move(topic), std::string{x.body},
                                      std::string{x.reply}});
  });
}

} // namespace fantail
