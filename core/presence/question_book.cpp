// SPDX-License-Identifier: MIT
#include "core/presence/question_book.hpp"

#include <utility>

namespace fantail {

std::optional<uint64_t> question_book::open(presence_topic topic,
                                            std::string reply_to,
                                            time_point now) {
  auto is_channel = topic.about == presence_topic::kind::channel;
  if (waiting_.size() >= limits::questions_waiting_max
      || (is_channel && channels_waiting_ >= limits::queries_waiting_max))
    return std::nullopt;
  channels_waiting_ += is_channel ? 1 : 0;
  auto& x = waiting_[++last_];
  x.topic = std::move(topic);
  x.reply_to = std::move(reply_to);
  x.until = now + limits::query_timeout;
  return last_;
}

question_book::reply
question_book::finish(std::map<uint64_t, waiting>::iterator i,
                      std::string body) {
  auto is_channel = i->second.topic.about == presence_topic::kind::channel;
  channels_waiting_ -= is_channel ? 1 : 0;
  reply result{std::move(i->second.reply_to), std::move(body)};
  waiting_.erase(i);
  return result;
}

std::optional<question_book::reply> question_book::found_user(
    uint64_t question, log_position version,
    const std::vector<std::pair<std::string, instance_index>>& sessions) {
  auto i = waiting_.find(question);
  if (i == waiting_.end())
    return std::nullopt;
  user_answer answer{i->second.topic.name, life_, version, {}};
  for (auto& [session, instance] : sessions)
    answer.sessions.emplace_back(session, names_.name_of(instance));
  return finish(i, encode(answer));
}

std::optional<question_book::reply>
question_book::found_channel(uint64_t question, finding x,
                             std::vector<naming>& needed) {
  auto i = waiting_.find(question);
  if (i == waiting_.end())
    return std::nullopt;
  auto& asked = i->second;
  asked.found = std::move(x);
  asked.names.resize(asked.found.users.size());
  // A scan goes from home to home, so the users of one stand together.
  for (auto& found : asked.found.users) {
    if (asked.namings_left == 0 || needed.back().home != found.user.home) {
      needed.push_back({found.user.home, {}});
      ++asked.namings_left;
    }
    needed.back().users.push_back(found.user.user);
  }
  if (asked.namings_left > 0)
    return std::nullopt;
  return finish(i, answer_of(asked));
}

std::optional<question_book::reply>
question_book::named(uint64_t question, presence_shard_id home,
                     const std::vector<std::string>& names) {
  auto i = waiting_.find(question);
  if (i == waiting_.end())
    return std::nullopt;
  auto& asked = i->second;
  size_t next = 0;
  for (size_t k = 0; k < asked.names.size() && next < names.size(); ++k)
    if (asked.found.users[k].user.home == home)
      asked.names[k] = names[next++];
  if (--asked.namings_left > 0)
    return std::nullopt;
  return finish(i, answer_of(asked));
}

std::string question_book::answer_of(const waiting& x) const {
  channel_answer answer;
  answer.channel = x.topic.name;
  answer.life = life_;
  answer.version = x.found.version;
  answer.next = x.found.next;
  for (auto& [instance, count] : x.found.online)
    answer.instances.emplace_back(names_.name_of(instance), count);
  for (size_t k = 0; k < x.names.size(); ++k) {
    if (x.names[k].empty())
      continue;
    auto& user = answer.users.emplace_back();
    user.user = x.names[k];
    for (auto instance : x.found.users[k].instances)
      user.instances.emplace_back(names_.name_of(instance));
  }
  return encode(answer);
}

void question_book::tick(time_point now, std::vector<reply>& refused) {
  while (!waiting_.empty() && waiting_.begin()->second.until <= now) {
    auto i = waiting_.begin();
    refused.push_back(
        finish(i, encode_rejected(i->second.topic, control_reject::busy,
                                  "there was no answer in time")));
  }
}

} // namespace fantail
