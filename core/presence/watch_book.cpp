// SPDX-License-Identifier: MIT
#include "core/presence/watch_book.hpp"

#include <utility>

namespace fantail {

watch_book::watch_book(watch_book_config config) : config_(std::move(config)) {
  // nop
}

watch_book::opened watch_book::open(const presence_topic& topic,
                                    const std::string& deliver_to,
                                    time_point now) {
  opened result;
  auto known = entries_.find(topic);
  auto is_new
      = known == entries_.end() || !known->second.watches.contains(deliver_to);
  if (is_new && size_ == config_.watches_max) {
    result.reason = control_reject::too_many_watches;
    return result;
  }
  result.is_first = known == entries_.end();
  auto& x = entries_[topic].watches[deliver_to];
  if (is_new) {
    ++size_;
    x.name = config_.life + "-" + std::to_string(++watches_opened_);
  }
  x.until = now + config_.lease;
  result.answer
      = {topic, x.name,
         static_cast<uint64_t>(config_.lease / std::chrono::milliseconds{1}),
         x.number};
  return result;
}

bool watch_book::end(const presence_topic& topic,
                     const std::string& deliver_to) {
  auto i = entries_.find(topic);
  if (i == entries_.end())
    return false;
  size_ -= i->second.watches.erase(deliver_to);
  if (!i->second.watches.empty())
    return false;
  entries_.erase(i);
  return true;
}

watch_book::entry* watch_book::find(presence_topic::kind about,
                                    const std::string& name) {
  auto i = entries_.find(presence_topic{about, name});
  return i == entries_.end() ? nullptr : &i->second;
}

void watch_book::user_changed(const std::string& user, log_position version,
                              std::vector<std::string> instances) {
  auto* x = find(presence_topic::kind::user, user);
  if (!x)
    return;
  x->is_changed = true;
  x->version = version.value;
  x->instances = std::move(instances);
}

void watch_book::channel_changed(const std::string& channel, uint64_t version,
                                 const std::string& user, bool is_online) {
  auto* x = find(presence_topic::kind::channel, channel);
  if (!x)
    return;
  x->is_changed = true;
  x->version = version;
  x->users[user] = is_online;
  // A batch goes out when it is full, whatever the time.
  if (x->users.size() >= limits::watch_users_max)
    x->due_at = {};
}

void watch_book::missed(const presence_topic& topic) {
  auto* x = find(topic.about, topic.name);
  if (!x)
    return;
  x->is_changed = true;
  for (auto& [deliver_to, y] : x->watches)
    ++y.number;
}

void watch_book::tick(time_point now, std::vector<outgoing>& out,
                      std::vector<presence_topic>& ended) {
  for (auto i = entries_.begin(); i != entries_.end();) {
    auto& [topic, x] = *i;
    size_ -= std::erase_if(x.watches,
                           [&](auto& y) { return y.second.until <= now; });
    if (x.watches.empty()) {
      ended.push_back(topic);
      i = entries_.erase(i);
      continue;
    }
    if (x.is_changed && x.due_at <= now)
      send(topic, x, now, out);
    ++i;
  }
}

void watch_book::send(const presence_topic& topic, entry& x, time_point now,
                      std::vector<outgoing>& out) {
  json::object body{{std::string{to_string(topic.about)}, topic.name},
                    {"version", x.version}};
  if (topic.about == presence_topic::kind::user) {
    body["online"] = !x.instances.empty();
    body["instances"] = json::array(x.instances.begin(), x.instances.end());
  } else {
    json::array changes;
    for (auto& [user, is_online] : x.users)
      changes.push_back(json::object{{"user", user}, {"online", is_online}});
    body["changes"] = std::move(changes);
  }
  for (auto& [deliver_to, y] : x.watches) {
    body["watch"] = y.name;
    body["number"] = ++y.number;
    out.push_back({deliver_to, json::serialize(body)});
  }
  x.users.clear();
  x.is_changed = false;
  x.due_at = now + config_.interval;
}

} // namespace fantail
