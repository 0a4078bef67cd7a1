// SPDX-License-Identifier: MIT
#include "core/presence/presence_query.hpp"

#include "core/limits.hpp"
#include "core/subject.hpp"

#include <charconv>

namespace fantail {

namespace {

template <class T>
bool read_number(std::string_view text, T& number) {
  auto* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end;
}

} // namespace

std::string_view to_string(presence_topic::kind x) {
  return x == presence_topic::kind::channel ? "channel" : "user";
}

std::string to_cursor(user_key x) {
  return std::to_string(x.home.value) + "-" + std::to_string(x.user.value);
}

std::optional<user_key> cursor_from(std::string_view word) {
  user_key result;
  auto dash = word.find('-');
  if (dash == std::string_view::npos
      || !read_number(word.substr(0, dash), result.home.value)
      || !read_number(word.substr(dash + 1), result.user.value)
      || result.home.value >= limits::presence_shards_max)
    return std::nullopt;
  return result;
}

decoded<channel_question> decode_channel_question(std::string_view body) {
  channel_question result;
  result.limit = limits::query_users_default;
  member_reader in{body.empty() ? "{}" : body};
  if (in.has("limit"))
    result.limit
        = static_cast<uint32_t>(in.number("limit", limits::query_users_max));
  in.check(result.limit > 0, control_reject::wrong_type,
           "the member \"limit\" is 0");
  if (auto next = in.text_or("next", {}); !next.empty()) {
    result.from = cursor_from(next);
    in.check(result.from.has_value(), control_reject::malformed,
             "the member \"next\" is not the one of an answer");
  }
  return finish(in, result);
}

decoded<watch_request> decode_watch_request(std::string_view body) {
  watch_request result;
  member_reader in{body};
  result.deliver_to = in.text("deliver_to");
  in.check(is_reply_subject(result.deliver_to), control_reject::wrong_type,
           "the member \"deliver_to\" is no inbox");
  auto op = in.text_or("op", "watch");
  result.is_end = op == "end";
  in.check(op == "watch" || op == "end", control_reject::unknown_op,
           "the member \"op\" is neither \"watch\" nor \"end\"");
  return finish(in, std::move(result));
}

std::string encode(const channel_answer& x) {
  json::object instances;
  uint64_t online = 0;
  for (auto& [name, count] : x.instances) {
    instances[name] = count;
    online += count;
  }
  json::array users;
  for (auto& user : x.users)
    users.push_back(
        json::object{{"user", user.user},
                     {"instances", json::array(user.instances.begin(),
                                               user.instances.end())}});
  json::object out{
      {"status", "ok"},           {"channel", x.channel},
      {"life", x.life},           {"version", x.version},
      {"online", online},         {"instances", std::move(instances)},
      {"users", std::move(users)}};
  if (x.next)
    out["next"] = to_cursor(*x.next);
  return json::serialize(std::move(out));
}

std::string encode(const user_answer& x) {
  json::array sessions;
  for (auto& [session, instance] : x.sessions)
    sessions.push_back(
        json::object{{"session", session}, {"instance", instance}});
  return json::serialize(json::object{{"status", "ok"},
                                      {"user", x.user},
                                      {"life", x.life},
                                      {"version", x.version.value},
                                      {"online", !x.sessions.empty()},
                                      {"sessions", std::move(sessions)}});
}

std::string encode(const watch_answer& x) {
  return json::serialize(
      json::object{{"status", "watching"},
                   {std::string{to_string(x.topic.about)}, x.topic.name},
                   {"watch", x.watch},
                   {"lease_ms", x.lease_ms},
                   {"number", x.number}});
}

std::string encode_ended(const presence_topic& topic) {
  return json::serialize(json::object{
      {"status", "ended"}, {std::string{to_string(topic.about)}, topic.name}});
}

std::string encode_rejected(const presence_topic& topic, control_reject reason,
                            std::string_view detail) {
  return json::serialize(
      json::object{{"status", "rejected"},
                   {std::string{to_string(topic.about)}, topic.name},
                   {"reason", to_string(reason)},
                   {"detail", detail}});
}

} // namespace fantail
