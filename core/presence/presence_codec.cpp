// SPDX-License-Identifier: MIT
#include "core/presence/presence_codec.hpp"

#include "core/control/member_reader.hpp"
#include "core/json.hpp"
#include "core/subject.hpp"

#include <array>

namespace fantail {

namespace {

constexpr std::array<std::string_view, 7> op_words
    = {"online", "offline", "set", "join", "leave", "expire", "evict"};

constexpr std::array<std::string_view, 16> reject_words = {"none",
                                                           "malformed",
                                                           "wrong_type",
                                                           "missing_member",
                                                           "unknown_op",
                                                           "illegal_session",
                                                           "illegal_instance",
                                                           "illegal_channel",
                                                           "illegal_user",
                                                           "too_many_channels",
                                                           "too_many_sessions",
                                                           "too_many_instances",
                                                           "unknown_session",
                                                           "too_large",
                                                           "memory_limit",
                                                           "membership_lost"};

constexpr std::array<std::string_view, 3> status_words
    = {"joined", "left", "rejected"};

/// Finds the enumerator whose word is `word`, starting at index `first`.
template <class Enum, size_t N>
std::optional<Enum> find_word(const std::array<std::string_view, N>& words,
                              std::string_view word, size_t first = 0) {
  for (auto i = first; i < N; ++i)
    if (words[i] == word)
      return static_cast<Enum>(i);
  return std::nullopt;
}

/// Fills an update while the body is read. After the first complaint it reads
/// on, because `reply_to` may come last and the sender deserves an answer.
class update_reader final : public json::visitor {
public:
  presence_parse result;

  void reject(presence_reject reason, std::string detail) {
    if (!result.ok())
      return;
    result.reason = reason;
    result.detail = std::move(detail);
  }

  bool on_object_begin() override {
    is_object_ |= depth_ == 0;
    on_other();
    ++depth_;
    return true;
  }

  bool on_object_end() override {
    --depth_;
    return true;
  }

  bool on_array_begin() override {
    if (depth_ == 1) {
      in_channels_ = member_ == member::channels;
      if (in_channels_) {
        result.update.channels.clear();
        result.update.has_channels = true;
      } else {
        complain_of_type();
      }
    } else {
      on_other();
    }
    ++depth_;
    return true;
  }

  bool on_array_end() override {
    if (--depth_ == 1)
      in_channels_ = false;
    return true;
  }

  bool on_key(std::string_view key) override {
    if (depth_ == 1)
      member_ = member_named(key);
    return true;
  }

  bool on_string(std::string_view text) override {
    if (depth_ == 1)
      take_member(text);
    else if (depth_ == 2 && in_channels_)
      take_channel(text);
    return true;
  }

  bool on_int(int64_t) override { return on_other(); }
  bool on_double(double) override { return on_other(); }
  bool on_bool(bool) override { return on_other(); }
  bool on_null() override { return on_other(); }

  /// Called once the whole body has been read.
  void check_members() {
    auto& update = result.update;
    if (!is_object_)
      return reject(presence_reject::malformed, "the body is not an object");
    if (!op_seen_)
      return require(false, "op");
    switch (update.op) {
    case presence_op::online:
      require(!update.session.empty(), "session");
      require(!update.instance.empty(), "instance");
      break;
    case presence_op::offline:
    case presence_op::expire:
      require(!update.session.empty(), "session");
      break;
    case presence_op::evict:
      break;
    default:
      require(update.has_channels, "channels");
    }
  }

private:
  enum class member : uint8_t { other, op, session, instance, channels, reply };

  static member member_named(std::string_view key) {
    if (key == "op")
      return member::op;
    if (key == "session")
      return member::session;
    if (key == "instance")
      return member::instance;
    if (key == "channels")
      return member::channels;
    return key == "reply_to" ? member::reply : member::other;
  }

  void require(bool present, const char* name) {
    if (!present)
      reject(presence_reject::missing_member,
             std::string{"the member \""} + name + "\" is missing");
  }

  void take_member(std::string_view text) {
    auto& update = result.update;
    switch (member_) {
    case member::op:
      take_op(text);
      break;
    case member::session:
      take_token(update.session, text, presence_reject::illegal_session,
                 "session");
      break;
    case member::instance:
      take_token(update.instance, text, presence_reject::illegal_instance,
                 "instance");
      break;
    case member::channels:
      complain_of_type();
      break;
    case member::reply:
      update.reply_to.clear();
      if (is_reply_subject(text))
        update.reply_to = text;
      else
        reject(presence_reject::wrong_type,
               "the member \"reply_to\" is not an inbox");
      break;
    case member::other:
      break;
    }
  }

  void take_op(std::string_view word) {
    op_seen_ = true;
    auto op = presence_op_from(word);
    result.has_op = op.has_value();
    if (op)
      result.update.op = *op;
    else
      reject(presence_reject::unknown_op,
             "the member \"op\" is none of the known operations");
  }

  void take_token(std::string& to, std::string_view text,
                  presence_reject reason, const char* name) {
    if (is_token(text))
      to = text;
    else
      reject(reason, std::string{"the member \""} + name
                         + "\" is not a token of 1 to 128 of A-Z a-z 0-9 _ -");
  }

  void take_channel(std::string_view name) {
    auto& channels = result.update.channels;
    // What was refused is not worth its memory.
    if (!result.ok())
      return;
    if (!is_token(name))
      return reject(presence_reject::illegal_channel,
                    "channels[" + std::to_string(channels.size())
                        + "] is not a token of 1 to 128 of A-Z a-z 0-9 _ -");
    if (channels.size() == limits::channels_per_change_max)
      return reject(presence_reject::too_many_channels,
                    "the member \"channels\" has more than "
                        + std::to_string(limits::channels_per_change_max)
                        + " entries");
    channels.push_back(name);
  }

  bool on_other() {
    if (depth_ == 1)
      complain_of_type();
    else if (depth_ == 2 && in_channels_)
      complain_of_channel();
    return true;
  }

  void complain_of_type() {
    static constexpr std::array<std::string_view, 6> wants
        = {"",
           "\"op\" is not a string",
           "\"session\" is not a string",
           "\"instance\" is not a string",
           "\"channels\" is not an array",
           "\"reply_to\" is not a string"};
    op_seen_ |= member_ == member::op;
    if (member_ != member::other)
      reject(presence_reject::wrong_type,
             "the member " + std::string{wants[static_cast<size_t>(member_)]});
  }

  void complain_of_channel() {
    reject(presence_reject::wrong_type,
           "channels[" + std::to_string(result.update.channels.size())
               + "] is not a string");
  }

  member member_ = member::other;
  int depth_ = 0;
  bool is_object_ = false;
  bool in_channels_ = false;
  bool op_seen_ = false;
};

/// Appends `,"key":"text"`; the text needs no escapes.
void append_member(std::string& out, std::string_view key,
                   std::string_view text) {
  out.append(",\"").append(key).append("\":\"").append(text).append("\"");
}

} // namespace

std::string_view to_string(presence_op x) {
  return op_words[static_cast<size_t>(x)];
}

std::optional<presence_op> presence_op_from(std::string_view word) {
  return find_word<presence_op>(op_words, word);
}

std::string_view to_string(presence_reject x) {
  return reject_words[static_cast<size_t>(x)];
}

std::optional<presence_reject> presence_reject_from(std::string_view word) {
  // "none" is not a reason.
  return find_word<presence_reject>(reject_words, word, 1);
}

std::string_view to_string(presence_answer::status x) {
  return status_words[static_cast<size_t>(x)];
}

presence_parse parse_presence_update(std::string_view body) {
  update_reader reader;
  if (body.size() > limits::presence_body_bytes_max) {
    reader.reject(presence_reject::too_large,
                  "the body has more than "
                      + std::to_string(limits::presence_body_bytes_max)
                      + " bytes");
    if (body.size() > limits::payload_bytes_max)
      return std::move(reader.result);
  }
  if (auto problem = json::parse(body, reader))
    reader.reject(presence_reject::malformed, std::move(*problem));
  else
    reader.check_members();
  return std::move(reader.result);
}

std::string encode(const presence_update& x) {
  std::string result{"{\"op\":\""};
  result.append(to_string(x.op)).append("\"");
  if (!x.session.empty())
    append_member(result, "session", x.session);
  if (!x.instance.empty())
    append_member(result, "instance", x.instance);
  if (x.has_channels) {
    result += ",\"channels\":[";
    for (auto* separator = ""; auto name : x.channels) {
      result.append(separator).append("\"").append(name).append("\"");
      separator = ",";
    }
    result += ']';
  }
  if (!x.reply_to.empty())
    append_member(result, "reply_to", x.reply_to);
  return result += '}';
}

std::string encode(const presence_answer& x) {
  std::string result{"{\"status\":\""};
  result.append(to_string(x.what)).append("\"");
  append_member(result, "user", x.user);
  if (x.op)
    append_member(result, "op", to_string(*x.op));
  result += ",\"version\":" + std::to_string(x.version.value);
  if (x.what == presence_answer::status::rejected) {
    append_member(result, "reason", to_string(x.reason));
    result += ",\"detail\":" + json::quote(x.detail);
    return result += '}';
  }
  result += ",\"positions\":{";
  for (auto* separator = ""; auto& [shard, at] : x.positions) {
    result.append(separator).append("\"");
    result += std::to_string(shard.value) + "\":" + std::to_string(at.value);
    separator = ",";
  }
  return result += "}}";
}

std::optional<presence_answer> decode_presence_answer(std::string_view body,
                                                      std::string* why) {
  member_reader in{body};
  presence_answer result;
  auto status
      = find_word<presence_answer::status>(status_words, in.text("status"));
  in.check(status.has_value(), control_reject::malformed,
           "the member \"status\" is unknown");
  result.what = status.value_or(presence_answer::status::rejected);
  // A refused user need not be a token, so none is asked for here.
  result.user = in.text("user");
  if (in.has("op")) {
    result.op = presence_op_from(in.text("op"));
    in.check(result.op.has_value(), control_reject::unknown_op,
             "the member \"op\" is unknown");
  }
  result.version = log_position{in.number("version")};
  if (result.what == presence_answer::status::rejected) {
    auto reason = presence_reject_from(in.text("reason"));
    in.check(reason.has_value(), control_reject::malformed,
             "the member \"reason\" is unknown");
    result.reason = reason.value_or(presence_reject::none);
    result.detail = in.text_or("detail", "");
  } else {
    result.positions = in.positions("positions");
  }
  if (!in.ok() && why)
    *why = in.detail();
  return in.ok() ? std::optional{std::move(result)} : std::nullopt;
}

} // namespace fantail
